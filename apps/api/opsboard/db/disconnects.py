"""Tells a lost connection from a wrong statement."""

from __future__ import annotations

import psycopg2

BROKEN = 2  # the value of `closed` after the server or the network ended the conversation
# The server ended the session, or is about to end all of them.
ENDED = {
    "57P01",  # admin_shutdown, pg_terminate_backend
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
    "57P04",  # database_dropped
    "57P05",  # idle_session_timeout
    "25P03",  # idle_in_transaction_session_timeout
    "25P04",  # transaction_timeout
}


def is_disconnect(error: BaseException) -> bool:
    """Return True if the error says the connection is gone, rather than that the statement is wrong."""
    if not isinstance(error, psycopg2.Error):
        return False
    if error.pgcode is not None:
        return error.pgcode in ENDED or error.pgcode.startswith("08")
    if isinstance(error, psycopg2.InterfaceError):
        return str(error).startswith("connection ")  # "already closed"; psycopg2 does not translate it
    # libpq's own errors carry no SQLSTATE; those about the conversation are OperationalError.
    if isinstance(error, psycopg2.OperationalError):
        return True
    cursor = getattr(error, "cursor", None)
    return type(error) is psycopg2.DatabaseError and cursor is not None and cursor.connection.closed != 0
