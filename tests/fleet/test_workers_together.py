"""Four real workers: what one changes all know at once, health speaks for all, and a clear reaches all."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import (
    FreshDatabase,
    cluster_folder,
    fresh_database,
    migrate_template,
    running_cluster,
)
from tests.deploy.conftest import Person, people_of
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, eventually, running_gunicorn
from tests.seed import Business, seed

WORKERS = 4
STATS = "/api/dashboard/stats"


@pytest.fixture(scope="module")
def data(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="module")
def admin(data: FreshDatabase) -> Person:
    return people_of(data)[0]


@pytest.fixture
def fleet(data: FreshDatabase) -> Iterator[Gunicorn]:
    with running_gunicorn(
        "tests.deploy.probe_app:app()",
        DATABASE_URL=data.app_url,
        WEB_CONCURRENCY=str(WORKERS),
        LOG_LEVEL="warning",
    ) as server:
        yield server


@contextmanager
def one_client_each(fleet: Gunicorn, admin: Person) -> Iterator[dict[str, Client]]:
    """A kept connection to every worker, by the worker's name."""
    clients: dict[str, Client] = {}
    surplus = []
    for _ in range(200):
        client = fleet.client(admin.token)
        name = client.get("/api/health/db").json["answered_by"]
        if name in clients:
            surplus.append(client)
        else:
            clients[name] = client
        if len(clients) == WORKERS:
            break
    for client in surplus:
        client.close()
    assert len(clients) == WORKERS, f"only {len(clients)} workers answered"
    try:
        yield clients
    finally:
        for client in clients.values():
            client.close()


def draft_jobs(client: Client) -> int:
    found: int = client.get(STATS).json["jobs"]["draft"]
    return found


def add_draft(database: FreshDatabase, tenant: str) -> None:
    """A writer that is none of the workers."""
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO jobs (tenant_id, job_number, title) "
            "SELECT id, gen_random_uuid(), 'new' FROM tenants WHERE slug = %s",
            (tenant,),
        )


def lags(fleet: Gunicorn, admin: Person, database: FreshDatabase, commits: int) -> list[float]:
    """Seconds from a commit until each worker's next answer was new; all workers are asked all the time."""
    found: list[float] = []
    with one_client_each(fleet, admin) as clients:
        expected = draft_jobs(next(iter(clients.values())))
        for _ in range(commits):
            expected += 1
            committed = threading.Event()
            at: list[float] = []
            threads = [
                threading.Thread(target=wait_for, args=(client, expected, committed, at, found))
                for client in clients.values()
            ]
            for thread in threads:
                thread.start()
            add_draft(database, "alpha")
            at.append(time.monotonic())
            committed.set()
            for thread in threads:
                thread.join()
    return sorted(found)


def wait_for(
    client: Client, expected: int, committed: threading.Event, at: list[float], found: list[float]
) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        seen = draft_jobs(client)
        now = time.monotonic()
        if seen == expected:
            committed.wait()
            found.append(max(0.0, now - at[0]))
            return
        assert seen == expected - 1, "an answer from before the last change, or from nowhere"
    found.append(float("inf"))


def test_after_a_commit_every_workers_next_answers_are_new(
    fleet: Gunicorn, admin: Person, data: FreshDatabase
) -> None:
    found = lags(fleet, admin, data, commits=25)
    assert len(found) == 25 * WORKERS
    # The bar of the promise is 0.1 s at p99; on a busy machine this short form allows more.
    assert found[int(len(found) * 0.99)] < 1.0, f"p99 {found[int(len(found) * 0.99)]:.3f} s"


@pytest.mark.slow
def test_after_a_commit_every_workers_next_answers_are_new_within_100_ms(
    fleet: Gunicorn, admin: Person, data: FreshDatabase
) -> None:
    found = lags(fleet, admin, data, commits=500)
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    longest = found[-1]
    print(
        f"\n{len(found)} answers, in ms: p50 {p50 * 1000:.0f}, p99 {p99 * 1000:.0f}, max {longest * 1000:.0f}"
    )
    assert p99 <= 0.1


def test_health_speaks_for_all_workers_and_names_one_that_fell_silent(fleet: Gunicorn, admin: Person) -> None:
    with one_client_each(fleet, admin) as clients:
        for client in clients.values():
            client.get(STATS)
        asker = next(iter(clients.values()))

        def all_reported() -> bool:
            lines = asker.get("/api/health/cache").json["workers"]
            return len(lines) == WORKERS and all(line["cache"]["misses"] >= 1 for line in lines)

        eventually("every worker reported", all_reported, 10)
        health = asker.get("/api/health/db").json
        assert {line["id"] for line in health["workers"]} == clients.keys()
        assert health["pool_stats"]["max_connections"] == 10 * WORKERS
        assert (health["silent"], health["status"]) == ([], "healthy")
        frozen = next(name for name in clients if name != health["answered_by"])
        pid = int(frozen.split(":")[1])
        os.kill(pid, signal.SIGSTOP)
        try:
            silent_after = eventually(
                "the silent worker is named",
                lambda: asker.get("/api/health/db").json["silent"] == [frozen],
                10,
            )
            assert silent_after < 4.0
            told = asker.get("/api/health/db").json
            assert any(frozen in warning for warning in told["warnings"])
            cleared = asker.post("/api/health/cache/clear", {}).json
            assert (cleared["status"], cleared["waiting"]) == ("partial", [frozen])
            assert cleared["acknowledged"] == WORKERS - 1
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually("it is heard again", lambda: asker.get("/api/health/db").json["silent"] == [], 10)


def test_a_clear_is_obeyed_by_all_workers(fleet: Gunicorn, admin: Person) -> None:
    with one_client_each(fleet, admin) as clients:
        times: list[float] = []
        for _ in range(10):
            for client in clients.values():
                client.get(STATS)
                assert client.get(STATS).headers["X-Cache"] == "HIT"
            cleared: dict[str, Any] = (
                next(iter(clients.values()))
                .post("/api/health/cache/clear", {"prefix": "get_dashboard_stats"})
                .json
            )
            assert (cleared["status"], cleared["acknowledged"], cleared["workers"]) == (
                "ok",
                WORKERS,
                WORKERS,
            )
            assert set(cleared["cleared"]) == clients.keys()
            times.append(cleared["ms"])
            for client in clients.values():
                assert client.get(STATS).headers["X-Cache"] == "MISS"
        assert max(times) < 1000


def test_the_last_good_answer_is_given_marked_stale_while_the_database_is_away(
    cluster: Cluster, seeded: tuple[str, Business, Business]
) -> None:
    """Its own server, so that it may be stopped."""
    with cluster_folder() as folder, running_cluster(folder / "own") as own:
        database = FreshDatabase(own, migrate_template(own))
        seed(database.superuser_url)
        person = people_of(database)[0]
        with running_gunicorn(
            "tests.deploy.probe_app:app()",
            DATABASE_URL=database.app_url,
            WEB_CONCURRENCY="1",
            DB_POOL_TIMEOUT="0.5",
            LOG_LEVEL="error",
        ) as server:
            client = server.client(person.token)
            fresh = client.get(STATS)
            assert fresh.headers["X-Cache"] == "MISS"
            own.stop("fast")

            def is_stale() -> bool:
                answer = client.get(STATS)
                assert answer.status == 200, answer.body
                assert answer.body == fresh.body
                return answer.headers["X-Cache"] == "STALE"

            eventually("the worker distrusts what it keeps", is_stale, 10)
            stale = client.get(STATS)
            assert int(stale.headers["Age"]) >= 1
            assert client.get("/api/jobs").status == 503, "what is not kept cannot be answered"
            assert client.post("/api/jobs", {"title": "x"}).status == 503
            assert client.get("/api/health").status == 200
            own.start()
            eventually("new answers again", lambda: client.get(STATS).headers["X-Cache"] == "HIT", 10)
