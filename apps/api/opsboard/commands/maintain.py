"""opsboard maintain: how many rows each month of a table has, and removal of the months that need not be kept."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import psycopg2
from psycopg2 import sql

from opsboard.commands.rollups import businesses, rebuild_counts
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url
from opsboard.db.queries import load_queries
from opsboard.db.session import Connection, transaction
from opsboard.errors import CommandError

queries = load_queries("opsboard.commands")

MONTH = re.compile(r"_(\d{4})_(\d{2})$")
LOCK_TIMEOUT = "1s"
# Rows of the others are part of what people work with: the messages of a conversation, the history of an approval.
REMOVABLE = ("audit_logs", "journey_node_executions", "lead_status_history", "workflow_execution_monitoring")


@dataclass(frozen=True)
class Part:
    """The part of a table that has one month, as `2026-11`; of the default part the month is empty."""

    table: str
    name: str
    month: str
    size: int

    def is_older_than(self, months: int | None, today: datetime) -> bool:
        """True if so many months, the present one included, do not reach back to it; None: all are kept."""
        if not self.month or months is None:
            return False
        year, month = map(int, self.month.split("-"))
        return (today.year * 12 + today.month) - (year * 12 + month) >= months


@click.command()
@click.option(
    "--keep", "kept", metavar="TABLE=MONTHS", multiple=True,
    help="Remove the months of TABLE that are older, the present one counted; several times for several.",
)  # fmt: skip
@click.option(
    "--dry-run", is_flag=True, help="Show what is there and what would be removed, and change nothing."
)
def maintain(kept: tuple[str, ...], dry_run: bool) -> None:
    """Show rows and bytes of each month of the tables that are cut by month; with --keep, remove old months.

    A month is removed for all businesses and cannot be brought back: make a backup first. Removal locks the table for a
    moment, or gives up after a second and can be repeated. Counts are recounted afterwards. What expires by itself
    (idempotency keys, counts of sign-ins, deliveries after DELIVERY_DAYS) is removed by the service.

    \b
    Examples:
      opsboard maintain --dry-run
      opsboard maintain --keep audit_logs=24 --dry-run
      opsboard maintain --keep audit_logs=24
    """
    months_kept = dict(map(read_keep, kept))
    config = load_config()
    with embedded_server(config), businesses(owner_url(config), None) as (connection, tenants):
        parts = list_parts(connection)
        rows = count_rows(connection, [tenant_id for tenant_id, _ in tenants], {part.table for part in parts})
        today = datetime.now(UTC)
        old = [part for part in parts if part.is_older_than(months_kept.get(part.table), today)]
        removed = "would be removed" if dry_run else "removed"
        for part in parts:
            if part in old and not dry_run:
                remove(connection, part)
            if rows[part.name] or part in old:
                told = f"{part.table:32} {part.month or 'other':8} {rows[part.name]:>12,} rows {part.size:>16,} bytes"
                click.echo(f"{told}  {removed}" if part in old else told)
        if old and not dry_run:
            click.echo(f"{rebuild_counts(connection, tenants)} counts corrected")
    click.echo(f"{sum(rows[part.name] for part in old):,} rows of {len(old)} months {removed}")


def read_keep(pair: str) -> tuple[str, int]:
    table, equals, months = pair.partition("=")
    if not equals or not months.isdecimal() or int(months) < 1:
        raise CommandError(f"--keep takes TABLE=MONTHS, such as audit_logs=24, not {pair}.")
    if table not in REMOVABLE:
        raise CommandError(f"Months can be removed from {', '.join(REMOVABLE)}; not from {table}.")
    return table, int(months)


def list_parts(connection: Connection) -> list[Part]:
    with connection.cursor() as cursor:
        cursor.execute(queries.list_parts.sql)
        return [
            Part(table, name, "-".join(found.groups()) if (found := MONTH.search(name)) else "", size)
            for table, name, size in cursor.fetchall()
        ]


def count_rows(connection: Connection, tenants: list[int], tables: set[str]) -> Counter[str]:
    """Rows of each part, of all businesses: row security shows one business at a time."""
    rows: Counter[str] = Counter()
    for tenant_id in tenants:
        with transaction(connection) as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
            for table in sorted(tables):
                count = sql.SQL(
                    "SELECT c.relname, n.rows FROM (SELECT t.tableoid, count(*) AS rows FROM {} AS t "
                    "WHERE t.tenant_id = %s GROUP BY 1) AS n JOIN pg_class AS c ON c.oid = n.tableoid"
                )
                cursor.execute(count.format(sql.Identifier(table)), (tenant_id,))
                rows.update(dict(cursor.fetchall()))
    return rows


def remove(connection: Connection, part: Part) -> None:
    """Take a month off its table and drop it, or neither."""
    try:
        with transaction(connection) as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            names = {"table": sql.Identifier(part.table), "part": sql.Identifier("partitions", part.name)}
            cursor.execute(sql.SQL("ALTER TABLE {table} DETACH PARTITION {part}").format(**names))
            cursor.execute(sql.SQL("DROP TABLE {part}").format(**names))
    except psycopg2.errors.LockNotAvailable:
        raise CommandError(
            f"{part.table} is in use; {part.month} and later months stay. Try again."
        ) from None
