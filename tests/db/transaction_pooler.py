"""A stand-in for a pooler in transaction mode: clients share server connections between transactions."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def transaction_pooler(
    folder: Path, server: Path, user: str, database: str, size: int, in_turn: bool = False
) -> Iterator[None]:
    """Listens in `folder` as Postgres would and lends its `size` connections to the server in `server`: the one
    given back last first, or `in_turn`."""
    pool = _Pool([_server_connection(server, user, database) for _ in range(size)], in_turn)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, pool), daemon=True).start()
        try:
            yield
        finally:
            # Closing alone does not wake the thread that accepts.
            listener.shutdown(socket.SHUT_RDWR)
            pool.close()


class _Pool:
    def __init__(self, connections: list[socket.socket], in_turn: bool) -> None:
        self._next = 0 if in_turn else -1
        self._all = list(connections)
        self._idle = connections
        self._changed = threading.Condition()

    def take(self) -> socket.socket:
        with self._changed:
            self._changed.wait_for(lambda: self._idle)
            return self._idle.pop(self._next)

    def put(self, connection: socket.socket) -> None:
        with self._changed:
            self._idle.append(connection)
            self._changed.notify()

    def close(self) -> None:
        for connection in self._all:
            connection.close()


def _accept(listener: socket.socket, pool: _Pool) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, pool), daemon=True).start()


def _serve(client: socket.socket, pool: _Pool) -> None:
    """One client: a server connection is its own from the first statement of a transaction to the last."""
    (length,) = struct.unpack("!i", _exactly(client, 4))
    _exactly(client, length - 4)
    settings = {"client_encoding": "UTF8", "standard_conforming_strings": "on", "server_version": "18.0"}
    said = b"".join(_message(b"S", f"{name}\0{value}\0".encode()) for name, value in settings.items())
    client.sendall(_message(b"R", bytes(4)) + said + _message(b"K", bytes(8)) + _message(b"Z", b"I"))
    lent = None
    try:
        while (asked := _receive(client))[0] != b"X":
            lent = lent or pool.take()
            lent.sendall(_message(*asked))
            answer = (b"", b"")
            while lent and answer[0] != b"Z":
                answer = _receive(lent)
                # Given back before the client hears of it: its next statement finds it idle.
                if answer == (b"Z", b"I"):
                    pool.put(lent)
                    lent = None
                client.sendall(_message(*answer))
    except OSError:
        pass
    finally:
        client.close()
        if lent:
            # The pool may have been closed meanwhile.
            with suppress(OSError):
                lent.sendall(_message(b"Q", b"ROLLBACK\0"))
                while _receive(lent)[0] != b"Z":
                    pass
                pool.put(lent)


def _server_connection(folder: Path, user: str, database: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(folder / ".s.PGSQL.5432"))
    who = struct.pack("!i", 196608) + f"user\0{user}\0database\0{database}\0\0".encode()
    connection.sendall(struct.pack("!i", len(who) + 4) + who)
    while _receive(connection)[0] != b"Z":
        pass
    return connection


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _receive(connection: socket.socket) -> tuple[bytes, bytes]:
    kind, length = struct.unpack("!ci", _exactly(connection, 5))
    return kind, _exactly(connection, length - 4)


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError
        received += part
    return received
