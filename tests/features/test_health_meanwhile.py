"""Answers about the service's health come while everything that other requests wait for is held up.

`patience` is short here and locks are held for the length of a test, so an answer at all is an answer in time.
"""

from __future__ import annotations

import select
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from opsboard.db import lookout
from opsboard.db.embedded import Cluster
from opsboard.errors import DatabaseUnavailable
from opsboard.observability import faults
from opsboard_bench.incidents.health import PATHS
from tests.application import Application, running_application
from tests.clusters import FreshDatabase, fresh_database, migrate_template, running_cluster
from tests.contract.tables import TABLES
from tests.db.test_server_watch import send
from tests.seed import seed
from tests.waiting import eventually

# Those that the answers read themselves, and one of each kind of the others.
FEW = {
    "workers",
    "usage_by_day",
    "tenants",
    "users",
    "jobs",
    "audit_logs",
    "changes",
    "cache_clears",
    "rollups",
}
ASKED = (
    "",
    "/ready",
    "/db",
    "/db/test",
    "/cache",
    "/indexes",
    "/queries",
    "/tables",
    "/journeys",
    "/activity",
    "/workers",
    "/usage",
    "/alerts",
    "/rollups",
)


@contextmanager
def holding(app: Application, statement: str) -> Iterator[None]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        yield
        connection.rollback()


def ask_all(client: FlaskClient) -> dict[str, tuple[int, Any]]:
    found = {path: client.get(f"/api/health{path}") for path in ASKED}
    found["metrics"] = client.get("/metrics")
    return {path: (answer.status_code, answer.json) for path, answer in found.items()}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How often an answer had to be waited for longer than the patience of this module."""
    waited: list[float] = []
    wait = lookout.Lookout._wait

    def counted(self: lookout.Lookout, future: Any, nothing_known: bool) -> Any:
        try:
            return wait(self, future, nothing_known)
        except DatabaseUnavailable:
            waited.append(self.patience)
            raise

    monkeypatch.setattr(lookout.Lookout, "_wait", counted)
    return waited


@pytest.fixture(scope="module")
def busy(cluster: Cluster, seeded: Any) -> Iterator[Application]:
    """A worker with a pool of one."""
    name, alpha, beta = seeded
    with (
        fresh_database(cluster, name) as database,
        running_application(
            database, alpha, beta, db_pool_max_connections=1, db_pool_min_connections=1
        ) as app,
    ):
        # A worker that has never heard which tokens were revoked refuses them while `revocations` is locked.
        app.services.change_feed.start()
        assert app.services.sign_in.revocations.has_synced
        yield app


def test_every_address_of_health_is_asked_here_and_by_the_benchmark(busy: Application) -> None:
    found = {
        rule.rule
        for rule in busy.flask.url_map.iter_rules()
        if rule.rule.startswith("/api/health") and "GET" in (rule.methods or ())
    }
    assert found == {f"/api/health{path}" for path in ASKED}
    assert found | {"/health", "/metrics"} == set(PATHS)


def locks_of(client: FlaskClient) -> set[tuple[str, str, str]]:
    """Table, who is kept out of it, and the role of the session that does so."""
    answer = client.get("/api/health/activity").json
    assert answer is not None
    return {(one["table"], one["keeps_out"], one["user"]) for one in answer["locks"] if one["pid"]}


def test_with_an_empty_pool_all_answers_come_at_once(busy: Application) -> None:
    client = busy.client()
    with busy.services.database.pool.connection():
        found = ask_all(client)
    assert {path: status for path, (status, _) in found.items()} == dict.fromkeys((*ASKED, "metrics"), 200)
    assert found["/db"][1]["pool_stats"]["pool_available"] == 0


@pytest.mark.parametrize("table", [
    table if table in FEW else pytest.param(table, marks=pytest.mark.slow)
    for table in sorted({*TABLES, "tenants", "schema_migrations"} | FEW)
])  # fmt: skip
def test_with_a_locked_table_no_answer_waits_for_it(busy: Application, table: str) -> None:
    client = busy.client()
    with holding(busy, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
        found = ask_all(client)
        eventually(
            "it is said who locks it",
            lambda: (table, "readers and writers", "postgres") in locks_of(client),
        )
    for path in (
        "",
        "/db",
        "/cache",
        "/queries",
        "/indexes",
        "/tables",
        "/journeys",
        "/activity",
        "/alerts",
        "metrics",
    ):
        assert found[path][0] == 200, (path, found[path])
    # Reads of the table itself report the lock; they wait a tenth of a second for it, not a request's deadline.
    assert {found[path][0] for path in ("/ready", "/db/test", "/rollups")} <= {200, 503, 504}
    locked = {one["name"] for one in found["/tables"][1]["tables"] if one["locked"]}
    assert table in locked | {"schema_migrations"}
    indexes = found["/indexes"][1]["indexes"]
    assert {one["table"] for one in indexes if one["locked"]} <= {table}
    # Of a locked one the definition is that of the migrations.
    assert all(one["definition"] for one in indexes if not one["locked"] or one["serves"])


def test_a_lock_that_keeps_out_writers_alone_is_called_that(busy: Application) -> None:
    client = busy.client()
    with holding(busy, "LOCK TABLE jobs IN SHARE MODE; LOCK TABLE machines IN ROW SHARE MODE"):
        eventually("it is named", lambda: ("jobs", "writers", "postgres") in locks_of(client))
        assert "machines" not in {table for table, *_ in locks_of(client)}, "it keeps nobody out"
    eventually("it is named no more", lambda: "jobs" not in {table for table, *_ in locks_of(client)})


def test_health_names_who_keeps_whom_waiting(own_app: Application) -> None:
    client = own_app.client()
    with holding(own_app, "LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"):
        with closing(psycopg2.connect(own_app.database.app_url, async_=1)) as waiting:
            finish_connecting(waiting)
            cursor = waiting.cursor()
            cursor.execute("SELECT count(*) FROM jobs")
            health: Any = None

            def is_told() -> bool:
                nonlocal health
                waiting.poll()
                health = client.get("/api/health/db").json
                return bool(health["server"]["blocked"]) and any(
                    "keeps 1 sessions" in warning for warning in health["warnings"]
                )

            eventually("health names the lock", is_told)
        (blocked,) = health["server"]["blocked"]
        assert (blocked["waits_for"], blocked["user"]) == ("jobs", "opsboard_app")
        (holder,) = blocked["blocked_by"]
        assert holder["user"] == "postgres"
        assert f"pg_terminate_backend({holder['pid']})" in " ".join(health["recommendations"])


def finish_connecting(connection: Any) -> None:
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        reads = state == psycopg2.extensions.POLL_READ
        select.select([connection] if reads else [], [] if reads else [connection], [], 5)


@pytest.fixture(scope="module")
def freezing(folder_of_clusters: Any) -> Iterator[Application]:
    with running_cluster(folder_of_clusters / "health") as cluster:
        database = FreshDatabase(cluster, migrate_template(cluster))
        alpha, beta = seed(database.superuser_url)
        with running_application(database, alpha, beta) as app:
            yield app


@contextmanager
def frozen(app: Application) -> Iterator[None]:
    send(app.database.cluster, signal.SIGSTOP)
    try:
        yield
    finally:
        send(app.database.cluster, signal.SIGCONT)


def test_on_a_frozen_server_what_was_known_is_told_with_its_age(
    freezing: Application, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = freezing.client()
    assert {status for status, _ in ask_all(client).values()} == {200}
    monkeypatch.setattr(freezing.services.lookout, "patience", 0.05)
    monkeypatch.setattr(freezing.services.lookout, "_is_alive", lambda: False)
    with frozen(freezing):
        found = ask_all(client)
    assert {path: status for path, (status, _) in found.items()} == {
        **dict.fromkeys(
            (
                "",
                "/db",
                "/cache",
                "/indexes",
                "/workers",
                "/usage",
                "/queries",
                "/tables",
                "/journeys",
                "/activity",
                "/alerts",
                "metrics",
            ),
            200,
        ),
        **dict.fromkeys(("/ready", "/db/test", "/rollups"), 503),
    }
    for path in ("/db", "/cache", "/indexes", "/queries", "/tables", "/activity", "/alerts"):
        assert found[path][1]["problem"] and found[path][1]["age_seconds"] >= 0, path
    assert found["/db"][1]["status"] != "healthy"
    assert len(waits) >= 8, "each of them gave up after its patience"


def test_a_worker_that_knows_nothing_yet_says_so(
    freezing: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = freezing.client()
    with running_application(freezing.database, freezing.alpha, freezing.beta) as fresh:
        fresh.services.change_feed.start()
        monkeypatch.setattr(fresh.services.lookout, "patience", 0.05)
        monkeypatch.setattr(fresh.services.lookout, "_is_alive", lambda: False)
        token = client.environ_base["HTTP_AUTHORIZATION"]
        with frozen(freezing):
            # As if it had been silent for long: this worker has never seen the token before.
            monkeypatch.setattr(fresh.services.sign_in.revocations, "fresh_until", 0.0)
            other = fresh.flask.test_client()
            other.environ_base["HTTP_AUTHORIZATION"] = token
            health = other.get("/api/health/db")
            assert health.status_code == 200 and health.json is not None
            assert (health.json["status"], health.json["server"]) == ("critical", {})
            assert len(health.json["workers"]) == 1
            assert other.get("/api/health/tables").status_code == 503
            # A write needs to know that the token still holds.
            assert other.post("/api/health/cache/clear").status_code == 503


@pytest.mark.parametrize("path", ["/api/health/db", "/api/health/cache"])
def test_a_worker_that_has_heard_nothing_for_long_still_answers(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """As after some seconds on a frozen server: the answer that stands alone is that of this worker."""
    client = own_app.client()
    client.get("/api/jobs")
    monkeypatch.setattr(type(own_app.services.change_feed), "lag", property(lambda _: 5.0))
    health = client.get(path).json
    assert health is not None and health["status"] in {"healthy", "ok"}
    assert [worker["status"] for worker in health["workers"]] == ["ok"] and health["silent"] == []


def test_a_full_disk_is_called_that(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_last", {})
    client = own_app.client()
    assert client.get("/api/health/db").json["status"] == "healthy"  # type: ignore[index]
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE 'could not extend file' USING ERRCODE = 'disk_full';
            END
            $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON jobs EXECUTE FUNCTION full_disk()
            """
        )
        connection.commit()
    answer = client.post("/api/jobs", json={"title": "A job"})
    assert (answer.status_code, answer.json["code"]) == (503, "disk_full")  # type: ignore[index]
    assert "disk" in answer.json["detail"]  # type: ignore[index]
    health = client.get("/api/health/db").json
    assert health is not None and health["status"] == "critical"
    assert "the database's disk is full" in " ".join(health["warnings"])


def test_connections_of_other_roles_count(own_app: Application) -> None:
    client = own_app.client()
    before = client.get("/api/health/db").json["server"]["connections"]  # type: ignore[index]
    with (
        closing(psycopg2.connect(own_app.database.owner_url)),
        closing(psycopg2.connect(own_app.database.superuser_url)),
    ):
        now = client.get("/api/health/db").json["server"]["connections"]  # type: ignore[index]
    assert now == before + 2


def test_threads_that_are_busy_are_numbers_and_warnings(own_app: Application) -> None:
    use = own_app.services.threads
    use.most, use.busy, use.waiting = 8, 8, 9
    health = own_app.client().get("/api/health/db").json
    assert health is not None
    assert health["request_threads"] == {"max": 8, "busy": 8, "waiting": 9}
    assert health["workers"][0]["request_threads"]["busy"] == 8
    assert health["status"] == "critical"
    assert "all threads are busy and 9 requests wait for one" in health["warnings"]
    text = own_app.client(None).get("/metrics").get_data(as_text=True)
    for line in ("request_threads{", "request_threads_busy{", "requests_waiting_for_thread{"):
        assert f"\nopsboard_{line}" in text
