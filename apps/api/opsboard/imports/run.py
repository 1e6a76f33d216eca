"""One import from beginning to end: one connection, one transaction, all rows or none."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.db.queries import load_queries
from opsboard.db.server_watch import connect, watched
from opsboard.db.sqlstates import error_for_sqlstate
from opsboard.errors import CommandError
from opsboard.imports.checks import check
from opsboard.imports.encodings import encoding_faults
from opsboard.imports.faults import create_fault_table, refuse_faults
from opsboard.imports.later import Later, leave_out_later
from opsboard.imports.mapping import ImportMapping
from opsboard.imports.nested_loops import hash_joins
from opsboard.imports.plan import Business, Plan, plan_tables
from opsboard.imports.progress import Progress
from opsboard.imports.remarks import Counted, Unmatched, count_remarks, unmatched_conditions
from opsboard.imports.rows import create_date_functions, create_rows, drop_date_functions
from opsboard.imports.staging import Source, open_sources, stage
from opsboard.imports.storing import Stored, store
from opsboard.imports.undated import note_first_imports

queries = load_queries(__package__)
maintenance = load_queries("opsboard.fleet")

# Messages for a stored import.
Remarked = Counted | Unmatched | Later
COUNTS = ("inserted", "updated", "unchanged")
BATCH = 50_000  # deltas folded in one transaction

SETTINGS = {
    # A million lines take as long as they take, but rows somebody else holds are not waited for for ever.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    # Of this one transaction, for the joins and sorts over the whole import.
    "work_mem": "64MB",
    # Each statement runs once, so compiling it never pays.
    "jit": "off",
    # A killed import must not hold its locks until its statement ends.
    "client_connection_check_interval": "1s",
}


class Author(NamedTuple):
    """The user and the request that the audit log names; both are None for the command line."""

    user_id: int | None = None
    request_id: str | None = None


NOBODY = Author()


@dataclass(frozen=True)
class Summary:
    """The result of an import, table by table."""

    tables: list[Stored]
    as_of: date | None
    dry_run: bool
    remarks: list[Remarked]


def run_import(
    dsn: str,
    folder: Path,
    mapping: ImportMapping,
    tenant_slug: str,
    as_of: date | None = None,
    dry_run: bool = False,
    report: Path | None = None,
    progress: Progress | None = None,
    author: Author = NOBODY,
) -> Summary:
    """Import a folder for one business, as the role the service uses; `dry_run` takes all of it back.

    Raises MappingError when the files do not fit the mapping, ImportRejected when rows are wrong (all faults
    are then in the file `report`), CommandError otherwise. Nothing is stored then.
    """
    progress = progress or Progress()
    with ExitStack() as stack:
        sources = open_sources(folder, mapping, progress, stack)
        try:
            connection = stack.enter_context(closing(connect(dsn, "import")))
            stack.enter_context(watched(connection, dsn))
            progress.connected(connection)
            tables, remarks = _import(
                connection, mapping, sources, tenant_slug, as_of, report, progress, author
            )
            progress.check()
            if not dry_run:
                connection.commit()
                progress.stored()
                _follow_up(connection, tables)
        except psycopg2.Error as error:
            raise _in_our_words(error) from error
    return Summary(tables, as_of, dry_run, remarks)


def _import(
    connection: Connection,
    mapping: ImportMapping,
    sources: dict[str, Source],
    tenant_slug: str,
    as_of: date | None,
    report: Path | None,
    progress: Progress,
    author: Author,
) -> tuple[list[Stored], list[Remarked]]:
    connection.set_client_encoding("UTF8")
    cursor = connection.cursor()
    business = _enter(cursor, tenant_slug, as_of)
    plan = Plan(business, plan_tables(mapping, sources))
    create_fault_table(cursor)
    for source in sources.values():
        progress.say(f"reading {source.file.path}")
        stage(cursor, source)
    remarks = count_remarks(cursor, sources)
    unmatched: list[Unmatched] = []
    create_date_functions(cursor, plan)
    for table in plan:
        progress.say(f"making rows of {table.target.table}")
        create_rows(cursor, plan, table)
        unmatched += unmatched_conditions(cursor, table)
        with hash_joins(cursor, table):
            check(cursor, plan, table, progress)
    files = {source.number: source.file.path for source in sources.values()}
    refuse_faults(connection, files, report, encoding_faults(sources))
    note_first_imports(cursor, plan)
    stored = []
    told: list[Remarked] = [*remarks, *unmatched]
    for table in plan:
        progress.say(f"storing {table.target.table}")
        with hash_joins(cursor, table):
            told += leave_out_later(cursor, plan, table)
            stored.append(store(cursor, plan, table))
        if table.target.table == "jobs":
            cursor.execute("SELECT advance_job_numbers(%s)", (business.tenant_id,))
    # That history would be another one shows only beside what is stored.
    refuse_faults(connection, files, report)
    drop_date_functions(cursor, plan)
    _record(cursor, business, as_of, sources, stored, told, author)
    return stored, told


def _enter(cursor: Cursor, slug: str, as_of: date | None) -> Business:
    """Bind the transaction to the business of the slug and take its turn among imports."""
    for name, value in {**SETTINGS, "app.tenant_slug": slug}.items():
        cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
    cursor.execute(queries.find_tenant.sql, {"slug": slug})
    found = cursor.fetchone()
    if found is None:
        raise CommandError(f"there is no business {slug!r}; opsboard tenant add makes one")
    tenant_id, time_zone = found
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
    try:
        cursor.execute(queries.lock_tenant.sql, {"tenant_id": tenant_id})
    except postgres_errors.LockNotAvailable as error:
        raise CommandError(
            f"another import for {slug} is running and nothing was stored; try again when it has ended"
        ) from error
    cursor.execute(queries.cut_of.sql, {"tenant_id": tenant_id, "as_of": as_of})
    row = cursor.fetchone()
    assert row is not None  # the row is locked
    return Business(tenant_id, time_zone, row[0], as_of, row[1])


def _record(
    cursor: Cursor,
    business: Business,
    as_of: date | None,
    sources: dict[str, Source],
    stored: list[Stored],
    remarks: list[Remarked],
    author: Author,
) -> None:
    """Set the day the business is looked at, and write down who came in."""
    cursor.execute(queries.set_as_of.sql, {"tenant_id": business.tenant_id, "as_of": as_of})
    changes = {
        "as_of": as_of.isoformat() if as_of else None,
        "files": {source.file.path: source.rows for source in sources.values()},
        "tables": {
            name: {count: sum(getattr(one, count) for one in stored if one.table == name) for count in COUNTS}
            for name in dict.fromkeys(one.table for one in stored)
        },
        "remarks": [str(remark) for remark in remarks],
    }
    written = {"tenant_id": business.tenant_id, "changes": json.dumps(changes), **author._asdict()}
    cursor.execute(queries.write_audit.sql, written)


def _follow_up(connection: Connection, tables: list[Stored]) -> None:
    """Renew statistics and add up what the import counted, so that the first answers do not have to."""
    connection.autocommit = True
    # The rows are stored whatever happens here; autovacuum and the workers do what is left.
    with suppress(psycopg2.Error), connection.cursor() as cursor:
        filled = [one.table for one in tables if one.inserted or one.updated]
        cursor.execute(queries.analyze_imported.sql, {"tables": filled})
    with suppress(psycopg2.Error), connection.cursor() as cursor:
        folded: int | None = BATCH
        while folded == BATCH:
            cursor.execute(maintenance.fold_rollups.sql, {"most": BATCH})
            row = cursor.fetchone()
            folded = row[0] if row else None


def _in_our_words(error: psycopg2.Error) -> CommandError:
    """Return the remedy for a database error, for a person at a terminal."""
    if isinstance(error, postgres_errors.LockNotAvailable):
        return CommandError("rows are held by somebody else; nothing was stored, try again")
    if isinstance(error, postgres_errors.IntegrityError):
        what = error.diag.constraint_name or error.diag.message_primary
        return CommandError(
            f"the import does not fit what is stored ({what}); nothing was stored, run it again"
        )
    kind = error_for_sqlstate(error.pgcode) if error.pgcode else None
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CommandError(
        f"{kind.title if kind else 'The database cannot be reached'}: {detail}; nothing was stored"
    )
