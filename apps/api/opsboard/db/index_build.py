"""Builds again the indexes of the migrations that are missing or invalid, without keeping writers away."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.db.index_catalogue import Index, find_faults, read_catalogue, sql
from opsboard.db.migration_lock import Report, migration_session
from opsboard.db.migrations import Migrator
from opsboard.errors import CommandError

LONGEST_NAME = 63  # bytes of an identifier


def build_indexes(owner_url: str, folder: Path, report: Report) -> list[str]:
    """Build what is missing or invalid; the names of what was built. Safe to run again after it was killed."""
    if pending := Migrator(owner_url, folder).pending():
        raise CommandError(f"{pending[0]} is not applied; run `opsboard migrate` first.")
    built = []
    with migration_session(owner_url, report) as connection, connection.cursor() as cursor:
        for fault in find_faults(cursor, read_catalogue(folder)):
            index, state = fault.index, fault.state
            if fault.namesake_on:
                raise CommandError(
                    f"{fault.namesake_on} has an index {index.name}, which belongs to {index.table}; drop or rename it."
                )
            report(f"building {index.name} on {index.table}, which was {state}")
            try:
                _build(connection, index, state)
            except psycopg2.Error as error:
                raise CommandError(f"{index.name} was not built: {' '.join(str(error).split())}") from error
            built.append(index.name)
    return built


def _build(connection: Connection, index: Index, state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.partitions_without_index.sql, {"table": index.table, "index": index.name})
        ((partitioned, lacking),) = cursor.fetchall()
        if partitioned:
            # CONCURRENTLY is refused here; alone it is made at once, and invalid until all partitions have theirs.
            cursor.execute(index.statement_on(f"ONLY {index.table}", index.name))
            _build_on_partitions(cursor, index, lacking)
            return
        if state == "invalid":
            if index.constraint:
                cursor.execute(f"ALTER TABLE {index.table} DROP CONSTRAINT IF EXISTS {index.name}")
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")
        cursor.execute(index.statement)
        if index.constraint:
            cursor.execute(index.constraint_statement)


def _build_on_partitions(cursor: Cursor, index: Index, partitions: Iterable[str]) -> None:
    for partition in partitions:
        name = f"{partition}_{index.name}"[:LONGEST_NAME]
        # A killed build leaves an invalid index, which looks the same as one in progress.
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS partitions.{name}")
        cursor.execute(index.statement_on(f"partitions.{partition}", name, "CONCURRENTLY "))
        cursor.execute(f"ALTER INDEX {index.name} ATTACH PARTITION partitions.{name}")
