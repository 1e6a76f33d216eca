"""opsboard rollups: are the kept counts and words what the tables say, and what to do when they are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url
from opsboard.db.queries import load_queries
from opsboard.db.session import Connection, Cursor, connected, transaction
from opsboard.errors import CommandError
from opsboard.features.health.alert_measures import COUNTS
from opsboard.fleet.maintenance import WORDS_BATCH

sql = load_queries("opsboard.commands")
health = load_queries("opsboard.features.health")
maintenance = load_queries("opsboard.fleet")
# Of wrong words so many are listed for a business: where folding stood still, all of them are wrong.
SHOWN_WORDS = 50
only_one = click.option("--tenant", "slug", metavar="SLUG", help="This business only; all when left out.")


@click.group()
def rollups() -> None:
    """Compare the stored counts, and the words of the search, with the tables, or rebuild them."""


@rollups.command()
@only_one
def verify(slug: str | None) -> None:
    """Recount everything, in one snapshot for each business, and list every difference, also of search words.

    Exit code 1 when there is one. Writers go on meanwhile.

    \b
    Examples:
      opsboard rollups verify
      opsboard rollups verify --tenant north
    """
    config = load_config()
    with embedded_server(config):
        checked, lines = differences(owner_url(config), slug)
    for line in lines:
        click.echo(line)
    click.echo(f"{checked} businesses, {len(lines)} differences")
    if lines:
        click.echo("opsboard rollups rebuild makes them right; please report how this came about")
        raise click.exceptions.Exit(1)


@rollups.command()
@only_one
def rebuild(slug: str | None) -> None:
    """Rebuild the counts and words, one business at a time. Readers and writers go on; folding waits.

    \b
    Example:
      opsboard rollups rebuild --tenant north
    """
    config = load_config()
    with embedded_server(config), businesses(owner_url(config), slug) as (connection, found):
        for tenant_id, name in found:
            click.echo(f"{name}: {rebuild_counts(connection, [(tenant_id, name)])} counts corrected")
            if corrected := rebuild_words(connection, tenant_id):
                click.echo(f"{name}: words of {corrected} records corrected")


def rebuild_counts(connection: Connection, tenants: list[tuple[int, str]]) -> int:
    """Recount these businesses, each in a transaction of its own; how many counts were corrected."""
    corrected = 0
    for tenant_id, _ in tenants:
        with transaction(connection) as cursor:
            cursor.execute(sql.rebuild_rollups.sql, {"tenant_id": tenant_id})
            corrected += cursor.fetchall()[0][0]
    return corrected


def rebuild_words(connection: Connection, tenant_id: int) -> int:
    """Write the words of a business that are wrong; of how many records."""
    with transaction(connection) as cursor:
        cursor.execute(sql.rebuild_words.sql, {"tenant_id": tenant_id})
        corrected = int(cursor.fetchall()[0][0])
    folded: int | None = WORDS_BATCH if corrected else 0
    while folded == WORDS_BATCH:
        with transaction(connection) as cursor:
            cursor.execute(maintenance.fold_words.sql, {"most": WORDS_BATCH})
            folded = cursor.fetchall()[0][0]
    return corrected


def differences(url: str, slug: str | None = None) -> tuple[int, list[str]]:
    """How many businesses were recounted, and each difference in words; `url` is of a role that sees all of them."""
    lines = []
    with businesses(url, slug) as (connection, found):
        for tenant_id, name in found:
            with transaction(connection) as cursor:
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
                cursor.execute(sql.rollup_differences.sql, {"tenant_id": tenant_id})
                rows = cursor.fetchall()
                # The alert about wrong counts is decided by it.
                values = {"check_name": f"{COUNTS}{tenant_id}", "value": len(rows)}
                cursor.execute(health.note_check.sql, values)
                cursor.execute(sql.word_differences.sql, {"tenant_id": tenant_id, "most": SHOWN_WORDS})
                words = cursor.fetchall()
            lines += [
                f"{name}: {described(metric, label, subject, day)}: kept {kept}, counted {counted}"
                for metric, label, subject, day, kept, counted in rows
            ]
            lines += [
                f"{name}: {source} {row_id}: the word {word} is {'left over or outdated' if is_kept else 'missing'}"
                for source, row_id, word, is_kept, _ in words
            ]
            if words and words[0][-1] > len(words):
                lines.append(f"{name}: {words[0][-1] - len(words):,} more words are wrong")
    return len(found), lines


@contextmanager
def businesses(url: str, slug: str | None) -> Iterator[tuple[Connection, list[tuple[int, str]]]]:
    """A connection as the role that migrates, and the businesses that are meant: one at least."""
    with connected(url, "rollups") as connection:
        with connection.cursor() as cursor:
            require_owner(cursor)
            cursor.execute(sql.list_tenants.sql, {"slug": slug})
            found = cursor.fetchall()
        if not found:
            raise CommandError(f"There is no business {slug}." if slug else "There is no business yet.")
        yield connection, found


def require_owner(cursor: Cursor) -> None:
    """Raise CommandError for a role to which row security shows no business unless it names one."""
    cursor.execute(sql.sees_all_tenants.sql)
    ((role, sees_all),) = cursor.fetchall()
    if not sees_all:
        raise CommandError(
            f"{role} cannot see all businesses; set DATABASE_OWNER_URL to the role that owns the tables."
        )


def described(metric: str, label: str, subject: int, day: str | None) -> str:
    """A count in words: steps pending of user 7, messages in of 12, jobs_created on 2026-05-01."""
    # Of other counts the subject is a conversation, a campaign or a journey.
    whose = "user " if metric.startswith("steps") else ""
    of_subject = f" of {whose}{subject}" if subject else ""
    on_day = f" on {day}" if day else ""
    return f"{metric}{' ' + label if label else ''}{of_subject}{on_day}"
