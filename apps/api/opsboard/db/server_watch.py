"""Ends the wait of a command for a server that has stopped answering; nothing else bounds that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn

from opsboard.db.watchdog import Peer

# Seconds to connect. A server that is alive refuses or accepts sooner, however busy it is.
CONNECT_TIMEOUT = 5
# Seconds between two looks at the server while a command waits for it.
LOOK_EVERY = 5.0
# Looks in a row without any answer before the command is ended.
SILENT_LOOKS = 2

SILENT = (
    "The database does not answer: it accepts connections and says nothing. Is its machine frozen or stopped?"
)


def connect(url: str, purpose: str) -> Connection:
    """A connection for a command; waits CONNECT_TIMEOUT, unless the address says how long."""
    return psycopg2.connect(with_timeout(url), fallback_application_name=f"opsboard {purpose}")


def with_timeout(url: str) -> str:
    """The address with a limit on the time to connect."""
    return str(make_dsn(**{"connect_timeout": str(CONNECT_TIMEOUT), **parse_dsn(url)}))


class ServerWatch:
    """Looks at the server every few seconds, by a connection of its own, while a statement runs on another.

    A statement may take as long as it needs, as the build of an index does. A server that answers no new
    connection either is frozen or cut off: then the socket is shut, and the command that waits gets an error.
    """

    def __init__(self, connection: Connection, url: str) -> None:
        self.silent = False
        self._peer = Peer(connection.fileno())
        self._url = with_timeout(url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="server-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._peer.close()

    def _run(self) -> None:
        silent = 0
        while not self._stop.wait(LOOK_EVERY):
            silent = 0 if self._answers() else silent + 1
            if silent >= SILENT_LOOKS and not self._stop.is_set():
                self.silent = True
                self._peer.shut()
                return

    def _answers(self) -> bool:
        """Return True if the server said anything; a refusal is an answer."""
        began = time.monotonic()
        try:
            with closing(psycopg2.connect(self._url, fallback_application_name="opsboard watch")):
                return True
        except psycopg2.Error:
            return time.monotonic() - began < CONNECT_TIMEOUT - 1


@contextmanager
def watched(connection: Connection, url: str) -> Iterator[ServerWatch]:
    """Watch the server of a connection for as long as the block lasts."""
    watch = ServerWatch(connection, url)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
