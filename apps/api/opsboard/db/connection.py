"""A connection that knows whether it is still as good as new, and makes itself so."""

from __future__ import annotations

import functools
import os
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import extensions

from opsboard.db.watchdog import Peer

if TYPE_CHECKING:
    from opsboard.db.lease import Lease

IDLE = extensions.TRANSACTION_STATUS_IDLE
ACTIVE = extensions.TRANSACTION_STATUS_ACTIVE

# Reaches past the tracking below: the pool itself changes nothing by looking and tidying.
_connection: Any = extensions.connection
_notices = _connection.notices.__get__
_notifies = _connection.notifies.__get__


def _touching(name: str) -> Any:
    """The method of that name, noting that session state may have changed."""
    method = getattr(extensions.connection, name)

    def touch_and_call(self: PooledConnection, *args: Any, **kwargs: Any) -> Any:
        self.touch()
        return method(self, *args, **kwargs)

    return functools.wraps(method)(touch_and_call)


def _touched_when_set(name: str) -> Any:
    """The attribute of that name, noting when it is set."""
    attribute = getattr(extensions.connection, name)

    def touch_and_set(self: PooledConnection, value: Any) -> None:
        self.touch()
        attribute.__set__(self, value)

    return property(attribute.__get__, touch_and_set)


class PooledConnection(extensions.connection):
    """A connection that the pool hands out.

    Everything a caller may do to it counts as a change of session state and is undone on return by
    `DISCARD ALL`, one round trip. The exception is `run_clean`: its caller guarantees that nothing is changed.
    """

    # Slots, so that nobody can leave an attribute of their own behind.
    __slots__ = (
        "_cancelled",
        "_cursors",
        "_encoding_at_home",
        "expires",
        "idle_since",
        "lease",
        "peer",
        "pooled",
        "prepared",
        "process",
        "proven",
        "ref",
        "touched",
    )

    set_session = _touching("set_session")
    set_isolation_level = _touching("set_isolation_level")
    set_client_encoding = _touching("set_client_encoding")
    lobject = _touching("lobject")
    reset = _touching("reset")
    tpc_begin = _touching("tpc_begin")
    tpc_recover = _touching("tpc_recover")
    get_native_connection = _touching("get_native_connection")
    autocommit = _touched_when_set("autocommit")
    isolation_level = _touched_when_set("isolation_level")
    readonly = _touched_when_set("readonly")
    deferrable = _touched_when_set("deferrable")
    cursor_factory = _touched_when_set("cursor_factory")
    notices = _touched_when_set("notices")
    notifies = _touched_when_set("notifies")

    def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(dsn, *args, **kwargs)
        _connection.autocommit.__set__(self, True)
        self.process = os.getpid()
        self.peer = Peer(self.fileno())
        self.ref: weakref.ref[PooledConnection] = weakref.ref(self)  # the pool puts one that tells it
        self.lease: Lease | None = None
        self.proven = self.idle_since = self.expires = 0.0
        self.touched = False
        self._encoding_at_home = self.encoding
        self._cursors: weakref.WeakSet[Any] = weakref.WeakSet()
        self._cancelled = False
        # The names of the statements that are prepared on it, least recently used first; see db/prepared.py.
        self.prepared: OrderedDict[str, None] = OrderedDict()
        self.pooled: bool | None = None  # None: not looked up yet

    def touch(self) -> None:
        """Note that session state may have changed. Refuses one who uses a connection given back."""
        if self.lease is None:
            raise psycopg2.InterfaceError("connection was returned to its pool")
        self.touched = True

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """A cursor for anything at all."""
        self.touch()
        cursor = super().cursor(*args, **kwargs)
        self._cursors.add(cursor)
        return cursor

    def cancel(self) -> None:
        """Cancel the running statement; the connection is not used again after its return."""
        self._cancelled = True
        super().cancel()

    def run_clean(self, sql: str, params: Any = None) -> tuple[Any, ...] | None:
        """Run a statement that leaves no session state behind, and return its first row, if any.

        "No session state" means: nothing that outlives the transaction, as SET, LISTEN, temporary tables and
        session-level advisory locks do. Of prepared statements only those in `prepared` may stay.
        set_config(..., true) is fine in a multi-statement text.
        """
        if self.lease is None:
            raise psycopg2.InterfaceError("connection was returned to its pool")
        if self.closed:
            raise psycopg2.InterfaceError("connection already closed")
        cursor = extensions.cursor(self)
        try:
            cursor.execute(sql, params)
            return cursor.fetchone() if cursor.description else None
        finally:
            cursor.close()

    def is_pooled(self) -> bool:
        """Return True if a pooler is in between: the server's process id then differs from the one at sign-in."""
        if self.pooled is None:
            row = self.run_clean("SELECT pg_backend_pid()")
            self.pooled = row is None or row[0] != _connection.get_backend_pid(self)
        return self.pooled

    def forget_prepared(self) -> None:
        """Drop its prepared statements on both sides, after the end of a transaction that may have failed."""
        super().rollback()
        if self.get_transaction_status() != IDLE:
            self._tell("ROLLBACK")  # of a BEGIN that was sent as a statement
        self._tell("DEALLOCATE ALL")
        self.prepared.clear()

    def pristine(self) -> bool:
        """Return True if the next owner could have it as it is. Costs no round trip."""
        return not (
            self.touched
            or self._cancelled
            or _connection.get_transaction_status(self) != IDLE
            or self.string_types
            or self.binary_types
        )

    def restore(self) -> None:
        """Make it equal to a fresh connection; raises when that cannot be done."""
        if self._cancelled or self.in_a_statement():
            # A cancel request may arrive late and hit the next owner's statement.
            raise psycopg2.InterfaceError("connection is in the middle of something")
        self._close_cursors()
        super().rollback()
        self._restore_client()
        self._restore_server()
        self.touched = False

    def in_a_statement(self) -> bool:
        """Return True if a statement runs on it right now, in whichever thread."""
        return not self.closed and _connection.get_transaction_status(self) == ACTIVE

    def ping(self) -> None:
        """Ask the server whether it is there, and take in what it had to say meanwhile."""
        self._tell("SELECT 1")
        self.forget_messages()

    def forget_messages(self) -> None:
        """Empty the lists of notices and notifications, which psycopg2 only ever adds to."""
        if _notices(self) or _notifies(self):
            _connection.notices.__set__(self, [])
            _connection.notifies.__set__(self, [])

    def close(self) -> None:
        """Close it on both sides."""
        super().close()
        self.peer.close()

    def hang_up(self) -> None:
        """Close it, even while it is in use."""
        if self.in_a_statement():
            self.peer.shut()  # close() would wait for the statement to end
        self.close()

    def abandon(self) -> None:
        """Let go of a connection that belongs to the parent process, without a word to the server."""
        self.peer.abandon()
        if not self.closed:
            # The file number stays taken: a late write to this connection must not reach another file.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self.fileno(), inheritable=False)
            os.close(nowhere)

    def _close_cursors(self) -> None:
        # The old owner may have kept one; through it, it would read along with the next owner.
        for cursor in list(self._cursors):
            try:
                cursor.close()
            except psycopg2.Error:
                continue  # a server-side cursor of an aborted transaction: gone with the rollback
        self._cursors.clear()

    def _restore_client(self) -> None:
        if self.isolation_level is not None or self.readonly is not None or self.deferrable is not None:
            super().set_session(isolation_level="DEFAULT", readonly="default", deferrable="default")
        _connection.autocommit.__set__(self, True)
        if self.encoding != self._encoding_at_home:
            super().set_client_encoding(self._encoding_at_home)
        _connection.cursor_factory.__set__(self, None)
        self.string_types.clear()
        self.binary_types.clear()

    def _restore_server(self) -> None:
        if self.get_transaction_status() != IDLE:
            # psycopg2's rollback does nothing about a BEGIN that was sent as a statement.
            self._tell("ROLLBACK")
        self._tell("DISCARD ALL")
        self.prepared.clear()
        if not (self.get_parameter_status("DateStyle") or "").startswith("ISO"):
            # psycopg2 sets it when connecting to a server with another default; it reads no other style.
            self._tell("SET datestyle TO 'ISO'")
        # Not emptied but replaced: the old owner may have put something else in their place.
        _connection.notices.__set__(self, [])
        _connection.notifies.__set__(self, [])

    def _tell(self, sql: str) -> None:
        cursor = extensions.cursor(self)
        try:
            cursor.execute(sql)
        finally:
            cursor.close()
