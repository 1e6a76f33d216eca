"""What an operator asks is answered by a real gunicorn while every thread and connection of requests is busy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, eventually, running_gunicorn
from tests.deploy.test_workers import in_background

OF_HEALTH = ("", "/ready", "/db", "/db/test", "/cache", "/indexes", "/queries", "/tables", "/rollups")
ASKED = (*(f"/api/health{path}" for path in OF_HEALTH), "/health", "/metrics")


@pytest.fixture(scope="module")
def one_thread(data: FreshDatabase) -> Iterator[Gunicorn]:
    """One worker with a single thread and a single connection."""
    settings = {
        "DATABASE_URL": data.app_url, "WEB_CONCURRENCY": "1", "WEB_THREADS": "1", "DB_POOL_MIN_CONNECTIONS": "0",
        "DB_POOL_MAX_CONNECTIONS": "1", "HEALTH_PATIENCE_MS": "10000",
    }  # fmt: skip
    with running_gunicorn("tests.deploy.probe_app:app()", **settings) as server:
        yield server


def test_all_of_it_is_answered_while_the_only_thread_sleeps(
    one_thread: Gunicorn, people: list[Person]
) -> None:
    before = one_thread.said().count(" sleeps\n")
    sleeper, woke = in_background(Client(one_thread.socket), "/probe/sleep/8.0")
    eventually("the only thread sleeps", lambda: one_thread.said().count(" sleeps\n") > before)
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
    sleeper.join()
    waiting.join()
    eventually("nobody waits any more", lambda: told() == {"max": 1, "busy": 0, "waiting": 0})


@pytest.mark.parametrize("path", ["/api/healthy", "/metricsx", "/api/jobs?x=/health"])
def test_other_addresses_wait_for_their_turn(one_thread: Gunicorn, people: list[Person], path: str) -> None:
    before = one_thread.said().count(" sleeps\n")
    sleeper, woke = in_background(Client(one_thread.socket), "/probe/sleep/1.0")
    eventually("the only thread sleeps", lambda: one_thread.said().count(" sleeps\n") > before)
    Client(one_thread.socket, people[0].token).get(path)
    assert woke
    sleeper.join()
