"""Large uploads through real servers: on the disk while they arrive, and whole when a thread gets them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_gunicorn, running_nginx
from tests.waiting import eventually

SIZE = 6 << 20
MOST = 8 << 20
DATA = b"0123456789abcde\n" * (SIZE // 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def server(data: FreshDatabase, folder: Path) -> Iterator[Gunicorn]:
    with running_gunicorn(
        "tests.deploy.probe_app:app()", DATABASE_URL=data.app_url, DOCUMENT_STORE=str(folder),
        DOCUMENT_MAX_BYTES=str(MOST), WEB_CONCURRENCY="1",
    ) as server:  # fmt: skip
        yield server


@pytest.fixture
def path(server: Gunicorn, people: list[Person]) -> str:
    made = server.client(people[0].token).post("/api/documents", {"title": "Large", "file_name": "large.bin"})
    return f"/api/documents/{made.json['id']}/content"


def connect(server: Gunicorn) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(server.socket))
    return client


def head(path: str, length: int, token: str | None, more: str = "") -> bytes:
    who = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"PUT {path} HTTP/1.1\r\nHost: x\r\n{who}{more}Content-Length: {length}\r\n\r\n".encode()


def everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_large_file_goes_there_and_back(server: Gunicorn, people: list[Person], path: str) -> None:
    client = server.client(people[0].token)
    for data in (DATA, b"small", DATA[:-1]):  # over one connection
        stored = client.request("PUT", path, data, {"Content_Type": "image/png"})
        assert (stored.status, stored.json["sha256"]) == (200, sha256(data).hexdigest())
        answer = client.get(path)
        assert (answer.status, answer.body == data) == (200, True)


def test_what_is_sent_behind_it_is_the_next_request(
    server: Gunicorn, people: list[Person], path: str
) -> None:
    with connect(server) as client:
        token = people[0].token
        behind = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        client.sendall(head(path, SIZE, token) + DATA + behind.encode())
        answers = everything(client)
    assert re.findall(rb"HTTP/1.1 ([0-9]+) ", answers) == [b"200", b"200"]
    assert answers.endswith(DATA)


def test_slow_uploads_hold_no_thread(server: Gunicorn, people: list[Person], path: str) -> None:
    slow = [connect(server) for _ in range(12)]  # more than there are threads
    try:
        for client in slow:
            client.sendall(head(path, SIZE, people[0].token) + DATA[: SIZE // 2])
        assert server.client(people[1].token).get("/api/jobs").status == 200
        for client in slow:
            client.sendall(DATA[SIZE // 2 :])
            assert client.recv(12) == b"HTTP/1.1 200"
    finally:
        for client in slow:
            client.close()


@pytest.mark.parametrize(
    ("length", "token", "status", "code"),
    [
        (MOST + 1, "own", 413, "body_too_large"),
        (SIZE, None, 401, "not_signed_in"),
        (SIZE, "made.up.token", 401, "not_signed_in"),
    ],
)
def test_what_may_not_come_is_refused_before_it_comes(
    server: Gunicorn, people: list[Person], path: str, length: int, token: str | None, status: int, code: str
) -> None:
    with connect(server) as client:
        client.sendall(
            head(path, length, people[0].token if token == "own" else token, "Expect: 100-continue\r\n")
        )
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert problem["code"] == code and (status != 413 or str(MOST) in problem["detail"])


def test_the_limit_of_other_addresses_stays(server: Gunicorn, people: list[Person], path: str) -> None:
    for other in ("/api/jobs", "/api/documents/1", f"{path}/x", "/api/documents/1/content?x=1"):
        with connect(server) as client:
            client.sendall(head(other, SIZE, people[0].token))
            assert everything(client).startswith(b"HTTP/1.1 413 "), other


def test_an_upload_that_breaks_off_or_a_killed_worker_stores_nothing(
    server: Gunicorn, people: list[Person], path: str, folder: Path
) -> None:
    before = set(folder.rglob("*"))
    with connect(server) as client:
        client.sendall(head(path, SIZE, people[0].token) + DATA[1:100_000])
    with closing(connect(server)) as client:
        client.sendall(head(path, SIZE, people[0].token) + DATA[1:100_000])
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        eventually(
            "the worker is replaced", lambda: len(server.workers() - {worker}) == 1 and server.answers()
        )
    assert set(folder.rglob("*")) == before
    assert server.client(people[0].token).get(path).status == 404


def test_through_nginx(server: Gunicorn, people: list[Person], path: str) -> None:
    with running_nginx(server.socket) as port:
        client = Client(port, people[0].token)
        assert client.request("PUT", path, DATA, {}).status == 200
        assert client.get(path).body == DATA
        # nginx knows the length of what comes in chunks.
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (1 << 20, DATA[at : at + (1 << 20)]) for at in range(0, SIZE, 1 << 20)
        )
        with closing(socket.create_connection(("127.0.0.1", port), 20)) as raw:
            start = head(path, 0, people[0].token, "Connection: close\r\nTransfer-Encoding: chunked\r\n")
            raw.sendall(start.replace(b"Content-Length: 0\r\n", b"") + chunks + b"0\r\n\r\n")
            assert everything(raw).startswith(b"HTTP/1.1 200 ")
        with closing(socket.create_connection(("127.0.0.1", port), 20)) as raw:
            raw.sendall(head(path, (25 << 20) + 1, people[0].token, "Connection: close\r\n"))
            answer = everything(raw)
        assert answer.startswith(b"HTTP/1.1 413 ") and b"25 MiB" in answer
