"""A socket that takes an answer at once: what the client does not read yet is kept, so that no thread waits for it."""

from __future__ import annotations

import select
import socket
from collections import deque
from typing import Any

# Of one answer; above it the thread that makes the answer waits for the client, as it does for exports.
MOST_UNSENT = 8 << 20  # bytes
# The longest time a thread waits for a client to send or read a piece.
PATIENCE = 10.0  # seconds


class Outgoing:
    """Stands for a connection's socket. Threads write to it, the worker's own thread sends what is left.

    A streamed answer calls `stream`: from then until the next request, writes wait for the client. The socket itself
    never blocks: with a timeout, Python would wait before each call.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._patience = 0.0  # seconds
        self._unsent: deque[memoryview] = deque()
        self._size = 0
        self._streams = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def setblocking(self, flag: bool) -> None:
        self._streams = False
        self._patience = PATIENCE if flag else 0.0

    def stream(self, seconds: float) -> None:
        """Let the thread that writes wait for the client, so long for each piece."""
        self._streams = True
        self._patience = seconds

    def settimeout(self, seconds: float | None) -> None:
        self._patience = PATIENCE if seconds is None else seconds

    def gettimeout(self) -> float:
        return self._patience

    def recv(self, size: int, flags: int = 0) -> bytes:
        while True:
            try:
                return self._sock.recv(size, flags)
            except BlockingIOError:
                self._wait(select.POLLIN)

    def sendall(self, data: bytes) -> None:
        """Send what goes out without a wait and keep the rest."""
        rest = memoryview(data)
        if not self._unsent:
            rest = rest[self._send_now(rest) :]
        if rest:
            self._unsent.append(rest)
            self._size += len(rest)
            if self._streams or self._size > MOST_UNSENT:
                self._send_and_wait()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def send_more(self) -> bool:
        """Send what goes out without a wait; whether anything did. Raises OSError when the client is gone."""
        before = self._size
        while self._unsent:
            sent = self._send_now(self._unsent[0])
            if not sent:
                break
            self._took(sent)
        return self._size < before

    def _send_now(self, data: memoryview) -> int:
        try:
            return self._sock.send(data) if data else 0
        except BlockingIOError:
            return 0

    def _send_and_wait(self) -> None:
        while self._unsent:
            sent = self._send_now(self._unsent[0])
            if sent:
                self._took(sent)
            else:
                self._wait(select.POLLOUT)

    def _wait(self, event: int) -> None:
        """Until the socket is ready. Raises BlockingIOError when nobody may wait, TimeoutError after a wait in vain."""
        if not self._patience:
            raise BlockingIOError
        poller = select.poll()
        poller.register(self._sock, event)
        if not poller.poll(self._patience * 1000):
            raise TimeoutError("the client is too slow")

    def _took(self, sent: int) -> None:
        self._size -= sent
        if sent == len(self._unsent[0]):
            self._unsent.popleft()
        else:
            self._unsent[0] = self._unsent[0][sent:]
