"""Shares a worker's threads between businesses in turn, so that one cannot block the others."""

from __future__ import annotations

import math
import re
import socket
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

from opsboard.auth.sign_in import SignIn
from opsboard.db.businesses import Businesses

LONGEST_HEAD = 16 << 10  # bytes
TOKEN = re.compile(
    rb"\r\n(?:authorization:[ \t]*bearer[ \t]+|cookie:[^\r\n]*?opsboard_token=)([^\s;]+)", re.IGNORECASE
)
# Requests without a token, as those of people who sign in.
NOBODY = 0


class Task(NamedTuple):
    business: int
    future: Future[Any]
    run: Callable[..., Any]
    arguments: tuple[Any, ...]


class FairThreads:
    """Stands where gunicorn expects its thread pool; runs what is submitted in threads of the pool behind it.

    A free thread takes a request of the business that has the fewest threads; of several, of the one that has waited
    the longest. While others ask as well, one business has no more than three quarters of the threads: the rest stays
    for a request of another, which need not wait until a slow query ends. Nothing is refused, only put in order.
    """

    def __init__(
        self, pool: Executor, threads: int, businesses: Businesses, business_of: Callable[[Any], int]
    ) -> None:
        self._pool = pool
        self._most = max(1, threads * 3 // 4)
        self._businesses = businesses
        self._business_of = business_of
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, deque[Task]] = OrderedDict()
        self._running: Counter[int] = Counter()
        # Threads that found nothing they might take; the next that is done takes it in their place.
        self._passed = 0

    def submit(self, run: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """As of a pool of threads; the first argument is gunicorn's connection, or something else."""
        business = self._business_of(arguments[0]) if arguments else NOBODY
        task = Task(business, Future(), run, arguments)
        with self._lock:
            self._queue(business).append(task)
        self._pool.submit(self._work)
        return task.future

    def shutdown(self, *arguments: Any, **named: Any) -> None:
        self._pool.shutdown(*arguments, **named)

    def _work(self) -> None:
        with self._lock:
            task = self._next()
            self._passed += task is None
        while task is not None:
            carry_out(task)
            with self._lock:
                self._running -= Counter({task.business: 1})
                task = self._next() if self._passed else None
                self._passed -= task is not None

    def _queue(self, business: int) -> deque[Task]:
        if business > NOBODY:
            self._businesses.seen(business)
        return self._waiting.setdefault(business, deque())

    def _next(self) -> Task | None:
        """The task whose turn it is, taken out of the queue. Wants the lock."""
        free = [one for one in self._waiting if self._running[one] < self._limit(one)]
        if not free:
            return None
        business = min(free, key=lambda one: self._running[one])
        tasks = self._waiting[business]
        task = tasks.popleft()
        self._waiting.move_to_end(business)
        if not tasks:
            del self._waiting[business]
        self._running[business] += 1
        return task

    def _limit(self, business: int) -> float:
        return self._most if self._businesses.has_other(business) else math.inf


def carry_out(task: Task) -> None:
    """As a thread of a pool does: the result or the exception is the future's."""
    if not task.future.set_running_or_notify_cancel():
        return
    try:
        task.future.set_result(task.run(*task.arguments))
    except BaseException as error:
        task.future.set_exception(error)


def business_of_request(sign_in: SignIn) -> Callable[[Any], int]:
    """Finds the business of the request that lies in a connection, by its token's signature."""

    def business_of(connection: Any) -> int:
        token = TOKEN.search(head_of(connection))
        business = token and sign_in.business_of(token[1].decode("latin-1"))
        return business or NOBODY

    return business_of


def head_of(connection: Any) -> bytes:
    """The beginning of the request, left where it is; empty when it has not arrived or cannot be read."""
    arriving = getattr(connection, "arriving", None)
    if arriving is not None:
        return bytes(arriving.received[:LONGEST_HEAD])
    parser = getattr(connection, "parser", None)
    if parser is not None and (read_ahead := parser.unreader.buf.getvalue()):
        return bytes(read_ahead[:LONGEST_HEAD])
    try:
        head: bytes = connection.sock.recv(LONGEST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (OSError, AttributeError, ValueError):
        return b""
    return head


def lend_threads_fairly(worker: Any, services: Any) -> None:
    """Begin to do so in a gthread worker that has not begun to listen."""
    if getattr(worker, "tpool", None) is not None:
        worker.tpool = FairThreads(
            worker.tpool, worker.cfg.threads, services.businesses, business_of_request(services.sign_in)
        )
