"""A real gunicorn answers about its health in every state in which it cannot answer anything else.

What holds a state up is let go only after the answers. Each answer has much less time than a request has that waits, so
one that waited for the lock, the connection or the server would fail; what they take is measured by `opsboard bench`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from opsboard_bench.incidents.health import PATHS
from tests.clusters import FreshDatabase, migrate_template, running_cluster
from tests.contract.tables import TABLES
from tests.db.test_server_watch import send
from tests.deploy.conftest import Person, people_of
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.deploy.test_workers import in_background
from tests.features.test_health_meanwhile import FEW
from tests.seed import seed
from tests.waiting import eventually

# Requests that wait have the time of a test run; health has its patience, with the margin of a very busy machine.
DEADLINE, IN_TIME = 600, 15.0
DEFAULT = {"jobs", "workers", "users"}  # the others in the long form
# They read tables themselves, or say whether that is possible.
MAY_REFUSE = {"/api/health/ready", "/api/health/db/test", "/api/health/rollups"}


@pytest.fixture(scope="module")
def own(folder_of_clusters: Path) -> Iterator[FreshDatabase]:
    """On a server that can be frozen without anybody else's noticing."""
    with running_cluster(folder_of_clusters / "incidents") as cluster:
        database = FreshDatabase(cluster, migrate_template(cluster))
        seed(database.superuser_url)
        yield database


@pytest.fixture(scope="module")
def operator(own: FreshDatabase) -> Person:
    return people_of(own)[0]


@pytest.fixture(scope="module")
def server(own: FreshDatabase, operator: Person) -> Iterator[Gunicorn]:
    """Two threads and two connections; it has given each answer before.

    A worker that starts during an incident knows less: while `revocations` is locked it cannot tell whether a token
    holds.
    """
    settings = {
        "DATABASE_URL": own.app_url, "WEB_CONCURRENCY": "1", "WEB_THREADS": "2", "DB_POOL_MIN_CONNECTIONS": "0",
        "DB_POOL_MAX_CONNECTIONS": "2", "REQUEST_DEADLINE": str(DEADLINE), "CACHE_ENABLED": "off",
    }  # fmt: skip
    with running_gunicorn("tests.deploy.probe_app:app()", **settings) as gunicorn:
        client = gunicorn.client(operator.token)
        for path in PATHS:
            eventually(f"it has answered {path}", lambda path=path: client.get(path).status == 200)  # type: ignore[misc]
        yield gunicorn


def check_health(server: Gunicorn, operator: Person, may_refuse: set[str] = MAY_REFUSE) -> None:
    """Each address on a connection of its own, and all on a kept one."""
    kept = server.client(operator.token)
    for path in PATHS:
        for client in (server.client(operator.token), kept):
            client.connection.timeout = IN_TIME
            status = client.get(path).status
            assert status == 200 or (path in may_refuse and status in (503, 504)), (path, status)


def locks_of(client: Client) -> set[tuple[str, int]]:
    """Each locked table, and the session that locks it."""
    return {(one["table"], one["pid"]) for one in client.get("/api/health/activity").json["locks"]}


@contextmanager
def holding(server: Gunicorn, folder: Path, *probes: str) -> Iterator[list[threading.Thread]]:
    """One request for each probe, which ends with the block."""
    held = folder / "held"
    held.touch()
    before = server.said().count(" sleeps\n")
    threads = [in_background(Client(server.socket), f"/probe/{probe}{held}")[0] for probe in probes]
    eventually("they all hold on", lambda: server.said().count(" sleeps\n") == before + len(probes))
    try:
        yield threads
    finally:
        held.unlink()
        for thread in threads:
            thread.join()


def test_with_every_thread_busy(server: Gunicorn, operator: Person, tmp_path: Path) -> None:
    with holding(server, tmp_path, "hold", "hold") as busy:
        check_health(server, operator, set())
        assert all(thread.is_alive() for thread in busy)


def test_with_no_connection_left(server: Gunicorn, operator: Person, tmp_path: Path) -> None:
    with holding(server, tmp_path, "connections") as busy:
        check_health(server, operator, set())
        assert all(thread.is_alive() for thread in busy)


@pytest.mark.parametrize("table", [
    table if table in DEFAULT else pytest.param(table, marks=pytest.mark.slow)
    for table in sorted({*TABLES, "tenants", "schema_migrations"} | FEW)
])  # fmt: skip
def test_with_a_locked_table(server: Gunicorn, operator: Person, own: FreshDatabase, table: str) -> None:
    with closing(psycopg2.connect(own.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        check_health(server, operator)
        client = server.client(operator.token)
        eventually(
            "it is said who locks it", lambda: (table, connection.get_backend_pid()) in locks_of(client)
        )
        connection.rollback()


def test_with_the_database_frozen(server: Gunicorn, operator: Person, own: FreshDatabase) -> None:
    check_health(server, operator, set())
    send(own.cluster, signal.SIGSTOP)
    try:
        check_health(server, operator)
    finally:
        send(own.cluster, signal.SIGCONT)
