"""Connections of a gthread worker: a request takes a thread only once it has arrived completely."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.workers.gthread import TConn

from opsboard.web.arriving import Arriving, State
from opsboard.web.lingering import Lingering
from opsboard.web.outgoing import Outgoing
from opsboard.web.server_errors import refusal
from opsboard.web.uploads import NO_UPLOADS, SpooledUnreader, Uploads

PIECE = 64 << 10  # bytes
# In seconds. nginx, when it is in front, has limits of its own and sends whole requests.
FIRST_BYTE = 15.0  # until a new connection sends something
HEAD = 10.0  # from the first byte until the head is whole
REST = 15.0  # from one piece of a body to the next
WHOLE = 60.0  # from the first byte until the request is whole
WHOLE_UPLOAD = 600.0  # the same for a large upload, which costs a connection and room on the disk
UNREAD = 30.0  # until the client reads another piece of its answer
LOOK_EVERY = 0.25
# Of requests that are arriving, in one worker.
MOST_ARRIVING = 64 << 20  # bytes
# Each checks passwords, which takes a processor; the others keep their threads. The rest wait here, first come first
# served, and take nothing but their place.
SIGN_IN = b"POST /api/auth/login"
MOST_QUEUED = 128
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LARGE = {State.HEAD_TOO_LARGE: 431, State.BODY_TOO_LARGE: 413}


class Connection(TConn):
    """A client's connection with the request that is arriving on it."""

    sock: Any
    parser: Any

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, linger: Callable[[Any], None]
    ) -> None:
        super().__init__(cfg, Outgoing(sock), client, server)  # type: ignore[arg-type]  # stands for a socket
        self.arriving = Arriving()
        self.began = 0.0  # when its first byte arrived
        self.until = 0.0  # when the connection is given up
        self.is_queued = False  # for a thread of those that sign in
        self.signs_in = False  # and has one
        self._linger = linger

    def close(self, graceful: bool = False) -> None:
        if graceful:
            self._linger(self.sock)
        else:
            super().close()


class Connections:
    """Takes the place of some methods of `ThreadWorker`, in the worker's own thread, which nothing here may hold up.

    A connection is always in one of these: waiting (for a request to arrive as a whole, or for its answer to be read),
    with a thread, kept alive (gunicorn's list), or lingering (closed, while the client may read the last answer).
    """

    def __init__(
        self, worker: Any, clock: Callable[[], float] = time.monotonic, uploads: Uploads = NO_UPLOADS
    ) -> None:
        self._worker = worker
        self._uploads = uploads
        self._clock = clock
        self._finish = worker.finish_request
        self._expire_pending = worker.murder_pending
        self._waiting: set[Connection] = set()
        self._lingering = Lingering(worker.poller, clock)
        self._arriving = 0  # bytes
        self._looked_at = clock()
        self._sign_ins = 0  # with a thread
        self._queue: deque[Connection] = deque()

    def take_over(self) -> None:
        worker = self._worker
        worker.accept = self.accept
        worker.on_client_socket_readable = self.on_kept_readable
        worker.finish_request = self.finish_request
        worker.murder_pending = self.expire

    def accept(self, listener: socket.socket) -> None:
        worker = self._worker
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        worker.nr_conns += 1
        conn = Connection(worker.cfg, client, address, listener.getsockname(), self._lingering.add)
        self._await_request(conn)
        self._on_readable(conn)

    def on_kept_readable(self, conn: Connection, client: Any) -> None:
        """A kept connection has something to read."""
        worker = self._worker
        worker.keepalived_conns.remove(conn)
        worker.poller.unregister(client)
        self._await_request(conn)
        self._on_readable(conn)

    def finish_request(self, conn: Connection, done: Any) -> None:
        """A thread is done with a request: the answer is sent to its end before anything else happens."""
        if conn.signs_in:
            conn.signs_in = False
            self._sign_ins -= 1
            self._next_sign_in()
        if conn.sock.has_unsent:
            conn.sock.setblocking(False)
            self.send_rest(conn, partial(self._after_answer, conn, done))
        else:
            self._after_answer(conn, done)

    def send_rest(self, conn: Connection, then: Callable[[], None]) -> None:
        """Send what is left of an answer as the client reads it."""
        conn.until = self._clock() + UNREAD
        self._waiting.add(conn)
        self._worker.poller.register(conn.sock, EVENT_WRITE, partial(self._on_writable, conn, then))

    def _await_request(self, conn: Connection) -> None:
        now = self._clock()
        conn.arriving = Arriving(largest=self._uploads.limit)
        conn.began, conn.until = 0.0, now + FIRST_BYTE
        conn.sock.setblocking(False)
        self._waiting.add(conn)
        self._worker.poller.register(conn.sock, EVENT_READ, lambda _: self._on_readable(conn))

    def _on_readable(self, conn: Connection) -> None:
        try:
            piece = conn.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            self._drop(conn)
            return
        if piece:
            self._arrived(conn, piece)
        elif conn.arriving.received:
            self._refuse(conn, 400, "The connection was closed before the request was whole.")
        else:
            self._drop(conn)

    def _arrived(self, conn: Connection, piece: bytes) -> None:
        arriving, now = conn.arriving, self._clock()
        conn.began = conn.began or now
        before, was_small = arriving.in_memory, arriving.spool is None
        state = arriving.add(piece)
        self._arriving += arriving.in_memory - before
        refused = self._uploads.refusal(conn, self._waiting) if was_small and arriving.spool else None
        if refused:
            self._refuse(conn, *refused)
        elif state is State.WHOLE and arriving.received.startswith(SIGN_IN):
            self._enqueue_sign_in(conn)
        elif state is State.WHOLE:
            self._hand_over(conn)
        elif state in TOO_LARGE:
            detail = self._uploads.too_large(arriving.received) if arriving.has_head else ""
            self._refuse(conn, TOO_LARGE[state], detail if state is State.BODY_TOO_LARGE else "")
        elif self._arriving > MOST_ARRIVING:
            self._refuse(conn, 503)
        else:
            whole = WHOLE_UPLOAD if arriving.spool else WHOLE
            conn.until = min(now + REST, conn.began + whole) if arriving.has_head else conn.began + HEAD
            if arriving.expects_continue:
                arriving.expects_continue = False
                conn.sock.sendall(CONTINUE)

    def _enqueue_sign_in(self, conn: Connection) -> None:
        if len(self._queue) >= MOST_QUEUED:
            self._refuse(conn, 503, "Too many people sign in at this moment; try again in a moment.")
            return
        # Further bytes are read after the answer.
        self._worker.poller.unregister(conn.sock)
        conn.is_queued = True
        conn.until = self._clock() + WHOLE
        self._queue.append(conn)
        self._next_sign_in()

    def _next_sign_in(self) -> None:
        while self._queue and self._sign_ins < max(1, self._worker.cfg.threads // 4):
            conn = self._queue.popleft()
            self._sign_ins += 1
            conn.signs_in = True
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        """To a thread, which finds the whole request in memory."""
        self._no_longer_waits(conn)
        try:
            conn.init()
            if conn.arriving.spool:
                conn.parser.unreader = SpooledUnreader(conn.sock, conn.arriving.spool, conn.arriving.behind)
            conn.parser.unreader.unread(bytes(conn.arriving.received))
        except OSError:
            self._sign_ins -= conn.signs_in
            self._close(conn)
            return
        self._arriving -= conn.arriving.in_memory
        conn.data_ready = True
        # Whose request it is, and of which kind, is read from what has arrived.
        self._worker.enqueue_req(conn)
        conn.arriving = Arriving()

    def _after_answer(self, conn: Connection, done: Any) -> None:
        """Do gunicorn's work after an answer, except for bytes of the next request that were read with this one."""
        kept = not done.cancelled() and done.exception() is None and done.result()
        rest = conn.parser.unreader.take_buffered() if kept and conn.parser else b""
        if rest:
            self._await_request(conn)
            self._arrived(conn, rest)
        else:
            self._finish(conn, done)

    def _on_writable(self, conn: Connection, then: Callable[[], None], _: Any) -> None:
        try:
            if conn.sock.send_more():
                conn.until = self._clock() + UNREAD
            if conn.sock.has_unsent:
                return
        except OSError:
            self._drop(conn)
            return
        self._no_longer_waits(conn)
        then()

    def _refuse(self, conn: Connection, status: int, detail: str = "") -> None:
        """Answer without a thread, and close."""
        try:
            conn.sock.sendall(refusal(status, detail))
        except OSError:
            self._drop(conn)
            return
        self._no_longer_waits(conn)
        self._close(conn, graceful=True)

    def expire(self) -> None:
        """Give up connections whose time is over. Called at each turn of the worker's loop."""
        self._expire_pending()
        now = self._clock()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        for conn in [conn for conn in self._waiting if now >= conn.until or self._is_idle_at_end(conn)]:
            if conn.arriving.received:
                self._refuse(conn, 408)
            else:
                self._drop(conn)
        self._lingering.expire()

    def _is_idle_at_end(self, conn: Connection) -> bool:
        """The worker ends, and this connection waits for nothing that has begun."""
        return not (self._worker.alive or conn.arriving.received or conn.sock.has_unsent)

    def _drop(self, conn: Connection) -> None:
        self._no_longer_waits(conn)
        self._close(conn)

    def _no_longer_waits(self, conn: Connection) -> None:
        self._waiting.discard(conn)
        if conn.is_queued:
            conn.is_queued = False
            with suppress(ValueError):
                self._queue.remove(conn)
        else:
            self._worker.poller.unregister(conn.sock)

    def _close(self, conn: Connection, graceful: bool = False) -> None:
        self._arriving -= conn.arriving.in_memory
        conn.arriving.close()
        conn.arriving = Arriving()
        self._worker.nr_conns -= 1
        conn.close(graceful=graceful)
