"""A reload ends no worker before another answers in its place, and none at all when the new ones cannot start."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.load import Crowd
from tests.deploy.servers import Gunicorn, running_gunicorn, running_nginx
from tests.waiting import eventually

GATED = "tests.deploy.gated_app:app()"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def server(data: FreshDatabase, gate: Path) -> Iterator[Gunicorn]:
    with running_gunicorn(GATED, DATABASE_URL=data.app_url, GATE=str(gate), LOG_LEVEL="info") as server:
        yield server
        gate.write_text("go")


def says(server: Gunicorn, words: str, times: int = 1) -> Callable[[], bool]:
    return lambda: server.said().count(words) >= times


def worker_of(server: Gunicorn) -> int:
    answer = server.client().get("/probe")
    assert answer.status == 200
    return int(answer.json["worker"])


def only_from(server: Gunicorn, pids: set[int]) -> Callable[[], bool]:
    return lambda: server.workers() and server.workers() <= pids  # type: ignore[return-value]


def test_old_workers_answer_until_the_new_ones_do_and_another_reload_waits(
    server: Gunicorn, gate: Path
) -> None:
    old = server.workers()
    gate.write_text("wait")
    server.signal(signal.SIGHUP)
    eventually("a new worker starts", says(server, "waits at the gate"))
    server.signal(signal.SIGHUP)
    for _ in range(30):
        assert worker_of(server) in old
    assert len(server.workers() - old) == 1, "one after the other"
    gate.write_text("go")
    eventually("both reloads are done", lambda: says(server, "Handling signal: hup", 2)() and settled(server))
    assert not old & server.workers()
    assert worker_of(server) in server.workers()


def settled(server: Gunicorn) -> bool:
    """Each of two reloads has ended two workers."""
    return server.said().count("Worker exiting") == 4 and len(server.workers()) == 2


def test_a_release_that_cannot_start_leaves_the_workers_that_answer(server: Gunicorn, gate: Path) -> None:
    old = server.workers()
    gate.write_text("fail")
    server.signal(signal.SIGHUP)
    eventually("it is said", says(server, "going on with the workers from before"))
    eventually("only the old ones are left", only_from(server, old))
    assert {worker_of(server) for _ in range(10)} <= old
    gate.write_text("go")
    server.signal(signal.SIGHUP)
    eventually("the next reload works", lambda: len(server.workers()) == 2 and not server.workers() & old)


@pytest.mark.slow
def test_pairs_of_reloads_fail_no_request(data: FreshDatabase, people: list[Person]) -> None:
    with (
        running_gunicorn("tests.deploy.probe_app:app()", DATABASE_URL=data.app_url) as server,
        running_nginx(server.socket) as port,
        Crowd(people[:8], lambda token: Client(port, token)).asking() as tally,
    ):
        for pair in range(5):
            before = server.workers()
            server.signal(signal.SIGHUP)
            eventually("a new one starts", lambda before=before: server.workers() - before)  # type: ignore[misc]
            server.signal(signal.SIGHUP)
            eventually("both are done", says(server, "Worker exiting", 4 * pair + 4), 240)
    assert (tally.wrong, tally.failed) == ([], {}), tally
