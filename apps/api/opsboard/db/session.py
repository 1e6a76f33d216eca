"""A connection for the length of a command: one transaction, faults told in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.db.server_watch import SILENT, connect, watched
from opsboard.errors import CommandError

__all__ = ["Connection", "Cursor", "DatabaseSays", "connected", "transaction"]


@contextmanager
def connected(url: str, purpose: str) -> Iterator[Connection]:
    """A connection in autocommit, closed at the end; `purpose` is seen in pg_stat_activity.

    Raises CommandError for what the server says, and when it stops answering.
    """
    with _errors_in_words(), closing(connect(url, purpose)) as connection:
        connection.autocommit = True
        with watched(connection, url) as watch:
            try:
                yield connection
            except psycopg2.Error as error:
                if watch.silent:
                    raise CommandError(SILENT) from error
                raise


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


class DatabaseSays(CommandError):
    """The server refused something; `reason` has its words and `advice` what helps, or nothing."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.advice = next((advice for words, advice in ADVICE if re.search(words, reason)), "")
        super().__init__(f"The database says: {reason}{'; ' if self.advice else ''}{self.advice}")


# Remedies by the message of the server or libpq; the first match counts. The role and the tables are made by the
# migrations.
ADVICE = (
    (r'database ".*" does not exist', "make it with deploy/roles.sql, or correct its name in DATABASE_URL"),
    (r"(role|relation|function|column) .*does not exist", "run `opsboard migrate` first"),
    (
        r"too many (clients|connections)|connection slots",
        "all its connections are in use: see by whom in pg_stat_activity",
    ),
    (r"must be owner|permission denied", "set DATABASE_OWNER_URL to the role that owns the tables"),
    (
        r"password|authentication|pg_hba",
        "correct role and password in DATABASE_URL, or pg_hba.conf of the server",
    ),
    (r"translate host name", "correct the host in DATABASE_URL"),
    (r"timeout expired|timed out", "the server does not answer: is it frozen, or is a firewall in between?"),
    (r"refused|No such file|not running", "start the server, or correct host and port in DATABASE_URL"),
)


@contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise DatabaseSays(" ".join(str(error).split())) from error
