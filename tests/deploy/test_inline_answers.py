"""Cached answers of a real gunicorn: without a free thread, and byte for byte those of a thread."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.deploy.test_workers import in_background
from tests.seed import PASSWORD
from tests.waiting import eventually

STATS = "/api/dashboard/stats"
CHANGING = re.compile(rb"(?m)^(Date|Age|X-Request-Id|Server-Timing): .*$")
# Any request with a body goes to a thread, also when the body is empty.
TO_A_THREAD = b"Content-Length: 0\r\n"


@pytest.fixture(scope="module")
def one_thread(data: FreshDatabase) -> Iterator[Gunicorn]:
    """One worker with a single thread."""
    settings = {"DATABASE_URL": data.app_url, "WEB_CONCURRENCY": "1", "WEB_THREADS": "1"}
    with running_gunicorn("tests.deploy.probe_app:app()", **settings) as server:
        yield server


class Line:
    """A kept connection on which bytes are sent as they are."""

    def __init__(self, server: Gunicorn, token: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(server.socket))
        self.reader = self.socket.makefile("rb")
        self.token = token.encode()

    def request(self, more: bytes = b"", path: str = STATS) -> bytes:
        who = b"Host: shop\r\nAuthorization: Bearer %s\r\n" % self.token
        return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), who, more)

    def answer(self) -> tuple[bytes, bytes]:
        """Head and body of the next answer."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.reader.readline()
            assert line, f"the connection was closed after {head!r}"
            head += line
        length = re.search(rb"(?i)^Content-Length: (\d+)\r$", head, re.M)
        return head, self.reader.read(int(length[1])) if length else b""

    def ask(self, more: bytes = b"", path: str = STATS) -> tuple[bytes, bytes]:
        self.socket.sendall(self.request(more, path))
        return self.answer()


@pytest.fixture
def line(one_thread: Gunicorn, people: list[Person]) -> Iterator[Line]:
    """A connection whose answer is kept by now."""
    line = Line(one_thread, people[0].token)

    def is_kept() -> bool:
        return b"X-Cache: HIT" in line.ask()[0]

    eventually("the answer is kept", is_kept)
    yield line
    line.socket.close()


def test_kept_answers_come_while_every_thread_is_busy(one_thread: Gunicorn, line: Line) -> None:
    def came_meanwhile() -> bool:
        """Unless what was kept ends just then, and the next one has to be made, which waits for the thread."""
        before = one_thread.said().count(" sleeps\n")
        sleeper, woke = in_background(Client(one_thread.socket), "/probe/sleep/3.0")
        eventually("the only thread sleeps", lambda: one_thread.said().count(" sleeps\n") > before)
        heads = [line.ask()[0] for _ in range(20)]
        in_time = not woke
        sleeper.join()
        assert woke[0].status == 200
        return in_time and all(b"X-Cache: HIT" in head for head in heads)

    assert any(came_meanwhile() for _ in range(3))


@pytest.mark.parametrize("more", [b"", b"Accept-Encoding: gzip\r\n", b"If-None-Match: *\r\n"])
def test_they_are_what_a_thread_would_have_sent(line: Line, more: bytes) -> None:
    line.ask(more)
    at_once, threaded = line.ask(more), line.ask(more + TO_A_THREAD)
    assert CHANGING.sub(b"", at_once[0]) == CHANGING.sub(b"", threaded[0])
    assert at_once[1] == threaded[1]
    assert at_once[0].startswith(b"HTTP/1.1 304" if b"If-None" in more else b"HTTP/1.1 200")


def test_a_body_that_looks_like_a_request_is_none(line: Line, people: list[Person]) -> None:
    hidden = line.request(path="/api/customers")
    line.socket.sendall(line.request(b"Content-Length: %d\r\n" % len(hidden)))
    line.socket.sendall(hidden)
    first, next_one = line.answer(), line.ask(path="/api/health")
    assert b"X-Cache: HIT" in first[0]
    assert b'"version"' in next_one[1], "the body was read as a request"


def test_requests_sent_together_are_answered_in_their_order(line: Line) -> None:
    paths = [STATS, "/api/jobs", STATS, STATS, "/api/health", STATS]
    alone = [line.ask(path=path)[1] for path in paths]
    line.socket.sendall(b"".join(line.request(path=path) for path in paths))
    together = [line.answer() for _ in paths]
    assert [len(body) for _, body in together] == [len(body) for body in alone]
    assert [body for _, body in together if b"as_of" in body] == [body for body in alone if b"as_of" in body]


def test_a_head_that_comes_in_pieces_is_waited_for(line: Line) -> None:
    whole = line.ask()
    for at in (1, 4, 30, len(line.request()) - 1):
        line.socket.sendall(line.request()[:at])
        line.socket.sendall(line.request()[at:])
        assert line.answer()[1] == whole[1]


def test_who_asks_without_reading_gets_every_answer_in_the_end(line: Line) -> None:
    # More than the server has room to send, less than the client has.
    asked = 80
    expected = line.ask()[1]
    for _ in range(asked):
        line.socket.sendall(line.request())
    assert {line.answer()[1] for _ in range(asked)} == {expected}


def test_a_sign_in_that_ended_is_refused_though_its_answer_is_kept(
    one_thread: Gunicorn, people: list[Person]
) -> None:
    client = Client(one_thread.socket)
    signed_in = client.post("/api/auth/login", {"email": people[2].email, "password": PASSWORD})
    line = Line(one_thread, signed_in.json["access_token"])
    eventually("the answer is kept", lambda: b"X-Cache: HIT" in line.ask()[0])
    ended = client.post("/api/auth/logout", {}, Authorization=f"Bearer {line.token.decode()}")
    assert ended.status < 300, ended
    assert line.ask()[0].startswith(b"HTTP/1.1 401")
    line.socket.close()
