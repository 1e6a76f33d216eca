"""A connection for the length of a command: one transaction, faults told in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.errors import CommandError

__all__ = ["Connection", "Cursor", "connected", "transaction"]


@contextmanager
def connected(url: str, purpose: str) -> Iterator[Connection]:
    """A connection in autocommit, closed at the end; `purpose` is seen in pg_stat_activity."""
    with (
        _told(),
        closing(psycopg2.connect(url, fallback_application_name=f"opsboard {purpose}")) as connection,
    ):
        connection.autocommit = True
        yield connection


@contextmanager
def transaction(connection: Connection) -> Iterator[Cursor]:
    """One transaction: committed at the end of the block, rolled back when it is left by an error."""
    connection.autocommit = False
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        if not connection.closed:
            connection.autocommit = True


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        # The role of the service and the tables are made by the migrations.
        advice = "; was it made ready by `opsboard migrate`?" if "does not exist" in reason else ""
        raise CommandError(f"The database says: {reason}{advice}") from error
