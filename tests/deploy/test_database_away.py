"""The database comes late, restarts and loses connections under 32 clients; nobody gets a wrong answer or an error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import FreshDatabase, fresh_database, migrate_template, running_cluster
from tests.deploy.conftest import people_of
from tests.deploy.load import Crowd
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.seed import seed
from tests.waiting import eventually

CLIENTS = 32
# Counted on both sides: checked-out connections of each worker, and the server's sessions of our role.
LENT_NOW = "SELECT count(*) FROM pg_stat_activity AS a WHERE a.usename = 'opsboard_app' AND a.state <> 'idle'"
END_ALL = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a WHERE a.usename = 'opsboard_app'"


@pytest.fixture
def own_data(folder_of_clusters: Path) -> Iterator[FreshDatabase]:
    """A seeded database on a server that may be stopped."""
    with (
        running_cluster(folder_of_clusters / "restarted") as cluster,
        fresh_database(cluster, migrate_template(cluster)) as database,
    ):
        seed(database.superuser_url)
        yield database
        cluster.start()


@contextmanager
def server_that_came_before_its_database(data: FreshDatabase) -> Iterator[Gunicorn]:
    """gunicorn in production, started while the database was away."""
    data.cluster.stop()
    settings = {
        "DATABASE_URL": data.app_url,
        "OPSBOARD_ENV": "production",
        "OPERATOR_TENANTS": "1,2",
        "DB_POOL_TIMEOUT": "5",
        "DB_AWAY_PATIENCE": "5",  # longer than the restart takes
    }
    with running_gunicorn("tests.deploy.probe_app:app()", **settings, LOG_LEVEL="error") as server:
        yield server


def lent(server: Gunicorn, token: str) -> dict[int, int]:
    """Return the checked-out connections of each worker, from /api/health/db once all have reported."""
    found: dict[int, int] = {}
    deadline = time.monotonic() + 30
    # A report is half a second old at most; connections checked out then may have been returned.
    while (len(found) < 2 or any(found.values())) and time.monotonic() < deadline:
        answer = server.client(token).get("/api/health/db").json
        found = {line["pid"]: line["pool"]["in_use"] for line in answer["workers"] if line["status"] == "ok"}
    return found


def run_sql(cluster: Cluster, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(cluster.url("postgres", "postgres"))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall()


def crowd_of(data: FreshDatabase, server: Gunicorn) -> Crowd:
    people = people_of(data)
    return Crowd([people[number % len(people)] for number in range(CLIENTS)], server.client)


def test_starts_without_its_database_and_outlives_a_restart_of_it(own_data: FreshDatabase) -> None:
    tokens = [person.token for person in people_of(own_data)]
    with server_that_came_before_its_database(own_data) as server:
        client = server.client(tokens[0])
        assert client.get("/api/health").status == 200
        away = client.get("/api/health/ready")
        assert (away.status, away.json["code"]) == (503, "database_unavailable")
        own_data.cluster.start()
        eventually("ready", lambda: client.get("/api/health/ready").status == 200, 5)
        crowd = crowd_of(own_data, server)
        with crowd.asking() as tally:
            eventually("clients are served", lambda: tally.right > 200)
            own_data.cluster.restart()
            served = tally.right
            eventually("clients are served again", lambda: tally.right > served + 200)
        assert (tally.wrong, tally.failed) == ([], {}), tally
        assert list(lent(server, tokens[0]).values()) == [0, 0]
        # A change feed may be asking at any one moment.
        eventually("nothing is checked out", lambda: run_sql(own_data.cluster, LENT_NOW) == [(0,)])


@pytest.mark.slow
def test_sixty_seconds_of_kills_and_three_restarts(own_data: FreshDatabase) -> None:
    admin = people_of(own_data)[0].token
    kills = 0
    with running_gunicorn(
        "tests.deploy.probe_app:app()",
        DATABASE_URL=own_data.app_url,
        DB_AWAY_PATIENCE="5",
        LOG_LEVEL="error",
    ) as server:
        crowd = crowd_of(own_data, server)
        with crowd.asking() as tally:
            began = time.monotonic()
            restarts = [15.0, 30.0, 45.0]
            while (now := time.monotonic() - began) < 60:
                if restarts and now > restarts[0]:
                    restarts.pop(0)
                    own_data.cluster.restart()
                kills += len(run_sql(own_data.cluster, END_ALL))
                time.sleep(0.05)  # the rate of the kills, not a wait for anything
        print(f"{tally}, {kills} kills, 3 restarts")
        assert (tally.wrong, tally.failed) == ([], {}), tally
        assert list(lent(server, admin).values()) == [0, 0]
        # A change feed may be asking at any one moment.
        eventually("nothing is checked out", lambda: run_sql(own_data.cluster, LENT_NOW) == [(0,)])
