"""Connections that send or read slowly hold no thread, and requests that are not HTTP get a problem document."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.servers import Gunicorn, free_port, running_gunicorn

MANY = 40
JSON = "Host: x\r\nContent-Type: application/json\r\n"
LOGIN = f"POST /api/auth/login HTTP/1.1\r\n{JSON}"
IDLE = {
    "nothing": "",
    "half a line": "GET /api/hea",
    "half a head": "GET / HTTP/1.1\r\nHost: x\r\nX: ",
    "no body": f"{LOGIN}Content-Length: 900\r\n\r\n",
    "half a body": f"{LOGIN}Content-Length: 900\r\n\r\n{{",
    "half a chunk": f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "no end of the trailer": f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n0\r\nX: y",
    "half a pipelined request": "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\nGET /api/hea",
    "answers that nobody reads": "GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 6,
    "a last answer that nobody reads": "GET /docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}


@pytest.fixture(scope="module")
def server(data: FreshDatabase) -> Iterator[Gunicorn]:
    """One worker with two threads, on TCP as without nginx."""
    settings = {"DATABASE_URL": data.app_url, "WEB_CONCURRENCY": "1", "WEB_THREADS": "2"}
    with running_gunicorn("opsboard:create_app()", BIND=f"127.0.0.1:{free_port()}", **settings) as server:
        with connect(server, IDLE["a last answer that nobody reads"]) as client:
            everything(client)  # made once
        yield server


def connect(server: Gunicorn, sent: str | bytes = b"", small: bool = False) -> socket.socket:
    client = socket.socket()
    client.settimeout(20)
    if small:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", int(server.settings["BIND"].rpartition(":")[2])))
    client.sendall(sent.encode() if isinstance(sent, str) else sent)
    return client


def everything(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(1 << 16):
        received += piece
    return received


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True


@pytest.mark.parametrize("sent", IDLE.values(), ids=IDLE.keys())
def test_idle_connections_hold_no_thread(server: Gunicorn, sent: str) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server, sent, small="/docs" in sent)) for _ in range(MANY)]
        for _ in range(3):
            assert server.client().get("/api/health").status == 200
        assert all(is_open(client) for client in idle), "they were given up, which is not what this is about"


def test_what_arrives_in_pieces_is_answered_as_a_whole(server: Gunicorn, people: list[Person]) -> None:
    body = json.dumps({"title": "In pieces"}).encode()
    who = f"Authorization: Bearer {people[0].token}\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[at : at + 1]) for at in range(len(body))) + b"0\r\n\r\n"
    for framed, sent in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunks)):
        with connect(
            server, f"POST /api/jobs HTTP/1.1\r\n{JSON}{who}{framed}\r\nConnection: close\r\n\r\n"
        ) as client:
            for at in range(0, len(sent), 50):
                client.sendall(sent[at : at + 50])
            assert everything(client).startswith(b"HTTP/1.1 201 ")


def test_pipelined_requests_are_answered_in_order(server: Gunicorn) -> None:
    with connect(
        server, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n"
    ) as client:
        client.sendall(b"\r\nGET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        statuses = re.findall(rb"HTTP/1.1 ([0-9]+) ", everything(client))
        assert statuses == [b"200", b"404", b"200"]


BIG = 2 << 20
WRONG = {
    "a negative chunk": (f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n", 400),
    "a chunk with 0x": (f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk that is longer": (f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400),
    "a bad extension": (f'{LOGIN}Transfer-Encoding: chunked\r\n\r\n5;a="\r\nhello\r\n0\r\n\r\n', 400),
    "a bad trailer": (f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n: x\r\n\r\n", 400),
    "chunks above the limit": (f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n{BIG:x}\r\n", 413),
    "a body above the limit": (f"{LOGIN}Content-Length: {BIG}\r\n\r\n", 413),
    "a line that is too long": (f"GET /{'x' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a header that is too long": (f"GET / HTTP/1.1\r\nHost: x\r\nX: {'x' * 9000}\r\n\r\n", 431),
    "a head without end": (f"GET / HTTP/1.1\r\nHost: x\r\n{'X: y' * 20_000}", 431),
    "not HTTP": ("hello\r\n\r\n", 400),
    "two lengths": (f"{LOGIN}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", 400),
    "an unknown coding": (f"{LOGIN}Transfer-Encoding: rot13\r\n\r\n", 501),
}


@pytest.mark.parametrize(("sent", "status"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_a_problem_with_a_request_id(server: Gunicorn, sent: str, status: int) -> None:
    before = len(server.said())
    with connect(server, sent) as client:
        assert_problem(client, status)
    assert "Traceback" not in server.said()[before:]


@pytest.mark.parametrize(
    "sent",
    [
        f'{LOGIN}Content-Length: 900\r\n\r\n{{"email": "a@b.example", "password": "x"}}',
        f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "GET /api/health HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_a_request_that_is_cut_off_is_not_carried_out(server: Gunicorn, sent: str) -> None:
    with connect(server, sent) as client:
        client.shutdown(socket.SHUT_WR)
        assert_problem(client, 400)


def test_an_early_refusal_says_one_thing_of_the_connection(server: Gunicorn) -> None:
    body = json.dumps({"title": "x"})
    with connect(
        server, f"POST /api/jobs HTTP/1.1\r\n{JSON}Content-Length: {len(body)}\r\n\r\n{body}"
    ) as client:
        head = client.recv(1 << 16).partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"http/1.1 401 ") and head.count(b"\r\nconnection:") == 1


def assert_problem(client: socket.socket, status: int) -> None:
    head, _, body = everything(client).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].split()[1] == str(status), head
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert len(headers) == len(lines) - 1, "a header stands twice"
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["status"] == status
    assert json.loads(body)["request_id"] == headers["X-Request-Id"]


SIGN_IN = '{"email": "nobody@example.com", "password": "a wrong password"}'


def test_sign_ins_wait_without_a_thread_and_all_are_answered(server: Gunicorn) -> None:
    request = f"{LOGIN}Content-Length: {len(SIGN_IN)}\r\nConnection: close\r\n\r\n{SIGN_IN}"
    with ExitStack() as stack:
        waiting = [stack.enter_context(connect(server, request)) for _ in range(25)]
        # With two threads one signs in; what comes later and is no sign-in does not wait for those before.
        assert server.client().get("/api/health").status == 200
        assert any(is_open(client) and not has_answer(client) for client in waiting)
        for client in waiting:
            client.settimeout(20)
        statuses = [everything(client).split()[1] for client in waiting]
    assert statuses == [b"401"] * 10 + [b"429"] * 15


def has_answer(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
