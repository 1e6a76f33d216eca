"""Operators' requests are answered by a real gunicorn while all request threads and connections are busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.conftest import Person, people_of
from tests.deploy.http_client import Answer, Client
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.deploy.test_workers import in_background
from tests.seed import Business
from tests.waiting import eventually

OF_HEALTH = ("", "/ready", "/db", "/db/test", "/cache", "/indexes", "/queries", "/tables", "/rollups")
ASKED = (*(f"/api/health{path}" for path in OF_HEALTH), "/health", "/metrics")


@pytest.fixture(scope="module")
def own(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    """A database of which no other server's threads are told."""
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="module")
def people(own: FreshDatabase) -> list[Person]:
    return people_of(own)


@pytest.fixture(scope="module")
def one_thread(own: FreshDatabase) -> Iterator[Gunicorn]:
    """One worker with a single thread and a single connection."""
    settings = {
        "DATABASE_URL": own.app_url, "WEB_CONCURRENCY": "1", "WEB_THREADS": "1", "DB_POOL_MIN_CONNECTIONS": "0",
        "DB_POOL_MAX_CONNECTIONS": "1", "HEALTH_PATIENCE_MS": "10000",
    }  # fmt: skip
    with running_gunicorn("tests.deploy.probe_app:app()", **settings) as server:
        yield server


def holding(server: Gunicorn, held: Path) -> tuple[threading.Thread, list[Answer]]:
    """A request that keeps the only thread for as long as the file is there."""
    held.touch()
    before = server.said().count(" sleeps\n")
    sleeper, woke = in_background(Client(server.socket), f"/probe/hold{held}")
    eventually("the only thread sleeps", lambda: server.said().count(" sleeps\n") > before)
    return sleeper, woke


def test_all_of_it_is_answered_while_the_only_thread_sleeps(
    one_thread: Gunicorn, people: list[Person], tmp_path: Path
) -> None:
    held = tmp_path / "held"
    sleeper, woke = holding(one_thread, held)
    waiting, _ = in_background(Client(one_thread.socket, people[0].token), "/api/jobs")
    asking = Client(one_thread.socket, people[0].token)

    def told() -> dict[str, int]:
        threads: dict[str, int] = asking.get("/api/health/db").json["request_threads"]
        return threads

    eventually("the second request waits", lambda: told() == {"max": 1, "busy": 1, "waiting": 1})
    # Each on a new connection, and all on a kept one.
    answers = [Client(one_thread.socket, people[0].token).get(path) for path in ASKED]
    answers += [asking.get(path) for path in ASKED]
    assert not woke, "the thread was busy all the time"
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert "1 requests wait for one" in " ".join(asking.get("/api/health/db").json["warnings"])
    held.unlink()
    sleeper.join()
    waiting.join()
    eventually("nobody waits any more", lambda: told() == {"max": 1, "busy": 0, "waiting": 0})


@pytest.mark.parametrize("path", ["/api/healthy", "/metricsx", "/api/jobs?x=/health"])
def test_other_addresses_wait_for_their_turn(
    one_thread: Gunicorn, people: list[Person], path: str, tmp_path: Path
) -> None:
    sleeper, _ = holding(one_thread, tmp_path / "held")
    waiting, answers = in_background(Client(one_thread.socket, people[0].token), path)
    asking = Client(one_thread.socket, people[0].token)
    eventually(
        "the other waits", lambda: asking.get("/api/health/db").json["request_threads"]["waiting"] == 1
    )
    assert answers == []
    (tmp_path / "held").unlink()
    sleeper.join()
    waiting.join()
    assert len(answers) == 1
