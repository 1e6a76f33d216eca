"""Keeps threads of a gunicorn worker for questions about the service itself, and counts those of all other requests."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any

# Liveness, readiness, the metrics, and what an operator asks when everything hangs.
RESERVED = re.compile(rb"(?:GET|HEAD|POST) /(?:(?:api/)?health|metrics)(?=[/? ])")
LONGEST_START = 64  # bytes of a request line that are looked at
THREADS = 4


class ThreadUse:
    """Busy threads and waiting requests of one worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.most = self.busy = self.waiting = 0

    def report(self) -> dict[str, int]:
        """Return the state shown to the other workers."""
        return {"max": self.most, "busy": self.busy, "waiting": self.waiting}

    def counted(self, handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Count a request as waiting from now on, and as busy while it is handled."""
        with self._lock:
            self.waiting += 1

        def run(conn: Any) -> Any:
            with self._lock:
                self.waiting -= 1
                self.busy += 1
            try:
                return handle(conn)
            finally:
                with self._lock:
                    self.busy -= 1

        return run


class ReservedThreads:
    """Stands where a gthread worker gives a connection with a request to its thread pool."""

    def __init__(self, worker: Any, use: ThreadUse) -> None:
        self._worker = worker
        self._use = use
        use.most = worker.cfg.threads
        self._threads = ThreadPoolExecutor(THREADS, "opsboard-reserved")

    def enqueue_req(self, conn: Any) -> None:
        """Takes the place of the method of `gunicorn.workers.gthread.ThreadWorker`, in the worker's own thread."""
        worker = self._worker
        start = start_of_request(conn)
        if start is None:
            # Nothing has come yet: the poller waits for it, not a thread.
            conn.sock.setblocking(False)
            conn.set_timeout()
            worker.pending_conns.append(conn)
            worker.poller.register(conn.sock, EVENT_READ, partial(worker.on_pending_socket_readable, conn))
            return
        if not start:
            # The client has gone: no request waits for a thread.
            worker.nr_conns -= 1
            conn.close()
            return
        if RESERVED.match(start):
            future: Future[Any] = self._threads.submit(worker.handle, conn)
        else:
            future = worker.tpool.submit(self._use.counted(worker.handle), conn)
        future.add_done_callback(lambda done: worker.method_queue.defer(worker.finish_request, conn, done))


def start_of_request(conn: Any) -> bytes | None:
    """The first bytes of what is to be read, left where they are; None: none have come yet, empty: none will come."""
    if conn.parser is not None and (read_ahead := conn.parser.unreader.buf.getvalue()):
        return bytes(read_ahead[:LONGEST_START])
    try:
        return bytes(conn.sock.recv(LONGEST_START, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return None
    except OSError:
        return b""


def reserve_threads(worker: Any, use: ThreadUse) -> None:
    """Begin to do so in a worker that has not begun to listen; not over TLS, where nothing can be looked at."""
    if hasattr(worker, "enqueue_req") and not (worker.cfg.is_ssl or worker.cfg.proxy_protocol != "off"):
        worker.enqueue_req = ReservedThreads(worker, use).enqueue_req
