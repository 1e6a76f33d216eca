"""Requests that the worker's own thread answers, and those it leaves in the socket for a pool thread."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from opsboard.web.fast_path import INLINE_ONLY
from opsboard.web.inline_answers import LONGEST_HEAD, InlineAnswers
from opsboard.web.outgoing import Outgoing

REQUEST = b"GET /kept HTTP/1.1\r\nHost: shop\r\n\r\n"


class Worker:
    """The used part of `ThreadWorker`, around one connection; its pool only records submitted work."""

    def __init__(self) -> None:
        self.cfg, self.alive, self.nr, self.max_requests = Config(), True, 0, 1000
        self.client, ours = socket.socketpair()
        server = Outgoing(ours)
        self.timeouts = 0
        self.conn = SimpleNamespace(
            sock=server, client="", server="shop", set_timeout=self._count_timeout, close=server.close
        )
        self.other = SimpleNamespace()
        self.keepalived_conns = deque([self.conn, self.other])
        self.poller = selectors.DefaultSelector()
        self.poller.register(server, selectors.EVENT_READ)
        self.nr_conns = 2
        self.unsent: list[Callable[[], None]] = []
        self.handed_over = 0
        self.finished: list[bool] = []
        self.asked: list[str] = []
        self.body = b"kept"

    def _count_timeout(self) -> None:
        self.timeouts += 1

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        self.handed_over += 1

    def finish_request(self, conn: Any, done: Any) -> None:
        self.finished.append(done.result())

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes] | None:
        """An application with one answer ready."""
        assert environ[INLINE_ONLY]
        self.asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/broken":
            raise RuntimeError
        if environ["PATH_INFO"] != "/kept":
            return None
        start_response("200 OK", [("Content-Length", str(len(self.body)))])
        return [self.body]

    def gets(self, sent: bytes) -> bytes:
        """Return the inline answer to these bytes."""
        self.client.sendall(sent)
        self.is_readable()
        return self.received()

    def is_readable(self) -> None:
        InlineAnswers(self, lambda conn, then: self.unsent.append(then)).on_client_socket_readable(
            self.conn, self.conn.sock
        )

    def received(self) -> bytes:
        try:
            return self.client.recv(1 << 20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""

    def left(self) -> bytes:
        """Return the bytes a thread would read from the socket."""
        try:
            return self.conn.sock.recv(1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.poller.close()
    worker.client.close()
    worker.conn.sock.close()


def test_what_is_ready_is_answered_and_the_connection_waits_for_the_next(worker: Worker) -> None:
    for number in (1, 2):
        answer = worker.gets(REQUEST)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nkept")
        assert b"Connection: keep-alive" in answer
        assert (worker.nr, worker.timeouts, worker.handed_over, worker.left()) == (number, number, 0, b"")
    assert list(worker.keepalived_conns) == [worker.other, worker.conn], (
        "the one that waits the shortest is last"
    )
    assert [key.fileobj for key in worker.poller.get_map().values()] == [worker.conn.sock]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET /other HTTP/1.1\r\nHost: shop\r\n\r\n", id="nothing is ready"),
        pytest.param(b"GET /broken HTTP/1.1\r\nHost: shop\r\n\r\n", id="an error of ours"),
        pytest.param(b"POST /kept HTTP/1.1\r\nHost: shop\r\n\r\n", id="a write"),
        pytest.param(REQUEST[:-2], id="half a head"),
        pytest.param(REQUEST + REQUEST, id="two requests"),
        pytest.param(REQUEST + b"G", id="the beginning of the next"),
        pytest.param(REQUEST[:-2] + b"Content-Length: 3\r\n\r\n", id="a body to come"),
        pytest.param(REQUEST[:-2] + b"Content-Length: 0\r\n\r\n", id="an empty body"),
        pytest.param(REQUEST[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", id="chunks to come"),
        pytest.param(REQUEST[:-2] + b"Expect: 100-continue\r\n\r\n", id="has to be encouraged"),
        pytest.param(REQUEST[:-2] + b"Connection: close\r\n\r\n", id="the last request"),
        pytest.param(b"GET /kept HTTP/1.0\r\n\r\n", id="an old protocol"),
        pytest.param(b"GET /kept HTTP/1.1\r\nHost shop\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET \r\n\r\n", id="no request line"),
        pytest.param(REQUEST[:-2] + b"X: " + b"x" * LONGEST_HEAD + b"\r\n\r\n", id="a head that is too long"),
    ],
)
def test_what_is_not_is_left_in_the_socket_as_it_came(worker: Worker, sent: bytes) -> None:
    assert worker.gets(sent) == b""
    assert worker.handed_over == 1 and worker.left() == sent
    assert worker.nr == 0 and list(worker.keepalived_conns) == [worker.conn, worker.other]


def test_the_end_of_a_connection_is_for_a_thread(worker: Worker) -> None:
    worker.client.shutdown(socket.SHUT_WR)
    worker.is_readable()
    assert worker.handed_over == 1 and worker.received() == b""


@pytest.mark.parametrize("end", [{"alive": False}, {"nr": 999}])
def test_a_worker_that_ends_leaves_its_last_requests_to_its_threads(
    worker: Worker, end: dict[str, Any]
) -> None:
    vars(worker).update(end)
    assert worker.gets(REQUEST) == b""
    assert worker.handed_over == 1 and worker.left() == REQUEST


def test_a_slow_reader_gets_the_rest_as_it_reads(worker: Worker) -> None:
    worker.body = b"x" * (4 << 20)
    answer = worker.gets(REQUEST)
    assert list(worker.keepalived_conns) == [worker.other] and not worker.poller.get_map()
    (then,) = worker.unsent
    while worker.conn.sock.has_unsent:
        worker.conn.sock.send_more()
        answer += worker.client.recv(1 << 20)
    then()
    while len(answer) < len(worker.body):
        answer += worker.client.recv(1 << 20)
    assert answer.endswith(b"\r\n\r\n" + worker.body)
    assert worker.finished == [True]


def test_a_reader_who_is_gone_is_given_up(worker: Worker) -> None:
    worker.body = b"x" * (4 << 20)
    worker.client.sendall(REQUEST)
    worker.client.close()
    worker.is_readable()
    assert worker.finished == [] and worker.nr_conns == 1
    assert list(worker.keepalived_conns) == [worker.other]
