"""Connections that are closed on our side, while the client may still read its last answer."""

from __future__ import annotations

import socket
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector
from typing import Any

PIECE = 64 << 10  # bytes
LINGER = 2.0  # seconds


class Lingering:
    """Says that there is no more to come and closes when the client has read it, as RFC 9112 section 9.6 asks.

    gunicorn waits for that in the thread that serves all connections. Here the poller does.
    """

    def __init__(self, poller: BaseSelector, clock: Callable[[], float]) -> None:
        self._poller = poller
        self._clock = clock
        self._until: dict[Any, float] = {}

    def add(self, sock: Any) -> None:
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self._poller.register(sock, EVENT_READ, self._drain)
        except (OSError, ValueError, KeyError):
            sock.close()
            return
        self._until[sock] = self._clock() + LINGER

    def expire(self) -> None:
        now = self._clock()
        for sock in [sock for sock, until in self._until.items() if now >= until]:
            self._end(sock)

    def _drain(self, sock: Any) -> None:
        try:
            if sock.recv(PIECE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(sock)

    def _end(self, sock: Any) -> None:
        del self._until[sock]
        self._poller.unregister(sock)
        sock.close()
