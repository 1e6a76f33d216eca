"""Too many requests for too few connections: they wait their turn; beyond that 503 and Retry-After, never 500."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from werkzeug.test import TestResponse

from tests.application import Application, running_application


@contextmanager
def held_elsewhere(app: Application, connections: int) -> Iterator[None]:
    """Connections held by another thread: the end of a request takes back what its own thread holds."""
    with ThreadPoolExecutor(1) as holder, ExitStack() as stack:

        def hold() -> None:
            for _ in range(connections):
                stack.enter_context(app.services.database.pool.connection())

        try:
            holder.submit(hold).result()
            yield
        finally:
            holder.submit(stack.close).result()


def test_50_requests_on_10_connections_are_50_answers(own_app: Application) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, cache_enabled=False, db_pool_max_connections=10
    ) as app:
        token = app.token()

        def ask(_: int) -> TestResponse:
            return app.flask.test_client().get(
                "/api/dashboard/stats", headers={"Authorization": f"Bearer {token}"}
            )

        with ThreadPoolExecutor(50) as threads:
            answers = list(threads.map(ask, range(50)))
        assert [answer.status_code for answer in answers] == [200] * 50
        stats = app.services.database.pool.get_stats()
        assert stats["pool_size"] <= 10
        assert app.services.database.pool.reference_stats()["in_use"] == 0


def test_who_finds_no_connection_in_time_is_told_to_come_back(own_app: Application) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, db_pool_timeout=1.0, db_pool_max_connections=2
    ) as app:
        client, health = app.client(), app.flask.test_client()
        with held_elsewhere(app, 2):
            began = time.monotonic()
            answer = client.get("/api/jobs")
            assert 1.0 <= time.monotonic() - began < 3.0
            assert (answer.status_code, answer.json["code"]) == (503, "pool_timeout")  # type: ignore[index]
            assert answer.headers["Retry-After"] == "1"
            assert health.get("/api/health").status_code == 200, "liveness needs no connection"
            assert health.get("/api/health/ready").status_code == 200, "readiness has one of its own"
        assert client.get("/api/jobs").status_code == 200


def test_the_health_of_the_pool_names_what_is_the_matter(own_app: Application) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, db_pool_max_connections=5, web_concurrency=100
    ) as app:
        client = app.client()
        with held_elsewhere(app, 4):
            health = client.get("/api/health/db").json
        assert health is not None
        assert health["pool_stats"]["in_use"] == 4
        assert health["status"] == "warning"
        assert "100 workers x (5 + 4) connections = 900" in health["warnings"][0]
        assert "DB_POOL_MAX_CONNECTIONS" in health["recommendations"][0]


def test_the_health_of_a_quiet_pool_agrees_with_the_server(own_app: Application) -> None:
    health = own_app.client().get("/api/health/db").json
    assert health is not None
    pool, server = health["pool_stats"], health["server"]
    assert (health["status"], health["warnings"]) == ("healthy", [])
    # Two connections more: the change feed has its own, and so have answers about health.
    assert server["our_connections"] == pool["total"] + 2
    assert pool["in_use"] == 0 and pool["available"] == pool["total"] == pool["pool_size"]
