"""Cached routes over HTTP: what is kept for whom, for how long, and what a hit costs."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import g

from opsboard.auth.identity import Identity
from opsboard.cache.key import Key, canonical
from opsboard.features.dashboard.routes import HowManyMonths
from opsboard.web import endpoint
from tests.application import Application, running_application
from tests.seed import ROLES

CACHED = (
    "/api/dashboard/stats", "/api/dashboard/recent-jobs", "/api/dashboard/chart/jobs-by-status",
    "/api/dashboard/chart/jobs-by-month",
)  # fmt: skip


def requests_of(app: Application) -> int:
    return app.services.database.pool.get_stats()["requests_num"]


@pytest.mark.parametrize("path", CACHED)
def test_a_miss_costs_one_statement_and_a_hit_or_304_none_and_no_connection(
    own_app: Application, path: str
) -> None:
    client = own_app.client()
    miss = client.get(path)
    assert (miss.headers["X-Cache"], miss.headers["X-Queries"], miss.headers["Age"]) == ("MISS", "1", "0")
    taken = requests_of(own_app)
    hit = client.get(path)
    assert (hit.headers["X-Cache"], hit.headers["X-Queries"]) == ("HIT", "0")
    assert hit.data == miss.data
    not_modified = client.get(path, headers={"If-None-Match": miss.headers["ETag"]})
    assert (not_modified.status_code, not_modified.data, not_modified.headers["X-Queries"]) == (304, b"", "0")
    assert not_modified.headers["X-Cache"] == "HIT"
    assert requests_of(own_app) == taken
    for answer in (miss, hit, not_modified):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert set(answer.headers["Vary"].split(", ")) == {"Authorization", "Cookie", "Accept-Encoding"}
        assert len(answer.headers["X-Request-Id"]) >= 8
        assert {"cache", "wait", "db", "total"} == {
            part.strip().split(";")[0] for part in answer.headers["Server-Timing"].split(",")
        }


def test_gzip_has_its_own_etag_and_the_same_content(own_app: Application) -> None:
    client = own_app.client()
    plain = client.get("/api/dashboard/stats")
    zipped = client.get("/api/dashboard/stats", headers={"Accept-Encoding": "br, gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    refused = client.get("/api/dashboard/stats", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_two_workers_give_equal_etags_for_equal_data(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta) as other:
        for path in (*CACHED, "/api/jobs", "/api/customers?page_size=5", "/api/auth/me"):
            etags = {worker.client().get(path).headers["ETag"] for worker in (own_app, other)}
            assert len(etags) == 1


@pytest.mark.parametrize("path", CACHED)
def test_32_threads_on_a_cold_key_make_one_statement(own_app: Application, path: str) -> None:
    token = own_app.token()
    own_app.services.store.clear()
    together = threading.Barrier(32)

    def ask(_: int) -> tuple[int, bytes]:
        together.wait(60)
        answer = own_app.flask.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
        return int(answer.headers["X-Queries"]), answer.data

    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(ask, range(32)))
    assert sum(queries for queries, _ in answers) == 1
    assert len({body for _, body in answers}) == 1


def test_a_users_numbers_are_kept_per_user_and_a_tenants_per_tenant_and_role(own_app: Application) -> None:
    for business in (own_app.alpha, own_app.beta):
        for role in ROLES:
            client = own_app.client(role, business)
            for path in CACHED:
                assert client.get(path).headers["X-Cache"] == "MISS", (business.slug, role, path)
    worker = own_app.client("operator")
    assert worker.get("/api/dashboard/stats").headers["X-Cache"] == "HIT"


def test_the_key_has_the_identity_the_endpoint_and_the_checked_arguments(app: Application) -> None:
    who = Identity(7, 8, "manager", "token", 1, 9e9)
    wanted = HowManyMonths(months=5)
    with app.flask.test_request_context("/api/dashboard/chart/jobs-by-month?months=5"):
        g.identity = who
        for per_user, user_id in ((True, 8), (False, None)):
            key = endpoint.make_key(per_user, {"wanted": wanted})
            assert key == Key(7, "manager", user_id, "dashboard.jobs_by_month", canonical({"months": 5}))


@pytest.mark.parametrize("part", ["tenant_id", "user_id", "arguments"])
def test_without_any_part_of_the_key_somebody_gets_anothers_body(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The proof that each part is needed: take it away and the right bodies stop coming."""
    assert wrong_bodies(own_app) == 0
    right = endpoint.make_key
    blank: dict[str, Any] = {"tenant_id": 0, "role": "", "user_id": None, "endpoint": "", "arguments": ()}

    def crippled(per_user: bool, arguments: dict[str, Any]) -> Key:
        return right(per_user, arguments)._replace(**{part: blank[part]})

    monkeypatch.setattr(endpoint, "make_key", crippled)
    assert wrong_bodies(own_app) > 0


def wrong_bodies(app: Application) -> int:
    """How many answers differ between a warm cache and none, over users, roles, tenants and arguments."""
    paths = [*CACHED, "/api/dashboard/recent-jobs?limit=3", "/api/dashboard/chart/jobs-by-month?months=3"]
    clients = [
        app.client(role, business)
        for business in (app.alpha, app.beta)
        for role in ROLES
        # Beta's ids differ from alpha's; two users of one tenant and role differ too.
    ]
    second_admin(app)
    clients.append(app.client("second", app.alpha))
    uncached = {}
    for number, client in enumerate(clients):
        for path in paths:
            app.services.store.clear()
            uncached[number, path] = without_clock(client.get(path).get_json())
    app.services.store.clear()
    return sum(
        without_clock(client.get(path).get_json()) != uncached[number, path]
        for number, client in enumerate(clients)
        for path in paths
    )


def without_clock(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "as_of"}


def second_admin(app: Application) -> None:
    """Another admin of alpha, with other tasks: the part user_id stands between the two."""
    import psycopg2

    with psycopg2.connect(app.database.superuser_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO users (tenant_id, email, full_name, role, password_hash)
            SELECT tenant_id, 'second@alpha.example', 'second', 'admin', password_hash
            FROM users WHERE email = 'admin@alpha.example'
            ON CONFLICT DO NOTHING
            """
        )
    connection.close()


def test_errors_are_never_kept(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    client = own_app.client()
    pool = own_app.services.database.pool
    from opsboard.errors import PoolTimeout

    def busy(*args: Any, **kwargs: Any) -> Any:
        raise PoolTimeout()

    monkeypatch.setattr(pool, "connection", busy)
    failed = client.get("/api/dashboard/stats")
    assert (failed.status_code, failed.headers["Retry-After"], failed.headers["Cache-Control"]) == (
        503,
        "1",
        "no-store",
    )
    monkeypatch.undo()
    assert client.get("/api/dashboard/stats").headers["X-Cache"] == "MISS"


def test_a_write_is_seen_by_its_own_worker_at_once(own_app: Application) -> None:
    client = own_app.client()
    before = client.get("/api/dashboard/stats").json["jobs"]["total"]  # type: ignore[index]
    client.post("/api/jobs", json={"title": "one more"})
    after = client.get("/api/dashboard/stats")
    assert (after.headers["X-Cache"], after.json["jobs"]["total"]) == ("MISS", before + 1)  # type: ignore[index]
    # The change feed brings the change once more; then it is quiet.
    own_app.services.change_feed.poll()
    while client.get("/api/dashboard/stats").headers["X-Cache"] != "HIT":
        own_app.services.change_feed.poll()
    # A table it was not read from does not matter.
    client.post("/api/customers", json={"name": "one more"})
    assert client.get("/api/dashboard/stats").headers["X-Cache"] == "HIT"
    assert own_app.client("admin", own_app.beta).get("/api/dashboard/stats").status_code == 200


def test_clear_and_inspection_by_prefix(own_app: Application) -> None:
    client = own_app.client()
    for path in CACHED:
        client.get(path)
    stats = client.get("/api/health/cache").json["cache_stats"]  # type: ignore[index]
    assert (stats["total_entries"], stats["active_entries"], stats["expired_entries"]) == (4, 4, 0)
    assert stats["endpoints"].keys() == {
        "dashboard.stats", "dashboard.recent_jobs", "dashboard.jobs_by_status", "dashboard.jobs_by_month",
    }  # fmt: skip
    only = client.get("/api/health/cache?prefix=dashboard.jobs").json["cache_stats"]  # type: ignore[index]
    assert only["total_entries"] == 2
    cleared = client.post("/api/health/cache/clear", json={"prefix": "get_dashboard_stats"})
    assert (cleared.json["status"], cleared.json["acknowledged"]) == ("ok", 1)  # type: ignore[index]
    assert client.get("/api/dashboard/stats").headers["X-Cache"] == "MISS"
    assert client.get("/api/dashboard/recent-jobs").headers["X-Cache"] == "HIT"
    assert client.post("/health/cache/clear", json={}).json["prefix"] is None  # type: ignore[index]
    assert client.post("/health/cache/clear").json["status"] == "ok"  # type: ignore[index]
    assert client.get("/api/dashboard/recent-jobs").headers["X-Cache"] == "MISS"


def test_switched_off_every_request_is_computed(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, cache_enabled=False) as off:
        client = off.client()
        for _ in range(2):
            assert client.get("/api/dashboard/stats").headers["X-Cache"] == "BYPASS"


@pytest.mark.parametrize(
    ("path", "seconds"),
    [("stats", 30), ("recent-jobs", 60), ("chart/jobs-by-status", 120), ("chart/jobs-by-month", 300)],
)
def test_a_ttl_ends(own_app: Application, path: str, seconds: int) -> None:
    path = f"/api/dashboard/{path}"
    with running_application(own_app.database, own_app.alpha, own_app.beta) as application:
        client = application.client()
        now = [1000.0]
        application.services.store.clock = lambda: now[0]
        assert client.get(path).headers["X-Cache"] == "MISS"
        now[0] += seconds - 0.1
        hit = client.get(path)
        assert (hit.headers["X-Cache"], hit.headers["Age"]) == ("HIT", str(seconds - 1))
        now[0] += 0.2
        assert client.get(path).headers["X-Cache"] == "MISS"
