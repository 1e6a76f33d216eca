"""The service works through PgBouncer in transaction mode: the change feed keeps nothing in its session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.fleet.change_feed import sql
from tests.application import running_application
from tests.clusters import APPLICATION, FreshDatabase, fresh_database, migrate_template, running_cluster
from tests.deploy.conftest import people_of
from tests.deploy.servers import running_gunicorn
from tests.fleet.feed_recorder import FeedRecorder
from tests.fleet.workers import STATS, one_client_each
from tests.pgbouncer import running_pgbouncer
from tests.seed import Business
from tests.waiting import eventually

FEEDS = 4
SERVER_CONNECTIONS = 2


@pytest.fixture(scope="module")
def data(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="module")
def pooled(cluster: Cluster, data: FreshDatabase) -> Iterator[str]:
    with running_pgbouncer(cluster, data.name, connections=SERVER_CONNECTIONS) as url:
        yield url


def write(database: FreshDatabase, tenant: int, table: str = "machines") -> None:
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"INSERT INTO {table} (tenant_id, name) VALUES (%s, 'new')", (tenant,))


def test_more_pulses_than_connections_each_hear_everything_once(
    pooled: str, data: FreshDatabase, seeded: tuple[str, Business, Business]
) -> None:
    _, alpha, beta = seeded
    feeds = [FeedRecorder(pooled) for _ in range(FEEDS)]
    for recorder in feeds:
        recorder.change_feed.poll()
        recorder.changes.clear()
    try:
        for number in range(12):
            tenant, table = (
                (alpha.id, beta.id)[number % 2],
                ("machines", "customers", "processes")[number % 3],
            )
            write(data, tenant, table)
            # In another order each time, so that each meets a connection that another had.
            for recorder in feeds[number % FEEDS :] + feeds[: number % FEEDS]:
                recorder.change_feed.poll()
                assert recorder.changes == [(tenant, table)]
                recorder.change_feed.poll()
                assert recorder.changes == [(tenant, table)]
                recorder.changes.clear()
        assert {recorder.resets for recorder in feeds} == {1}, "only at the beginning"
        assert server_connections(data) <= SERVER_CONNECTIONS
    finally:
        for recorder in feeds:
            # With a goodbye: they have nothing to report.
            recorder.change_feed.database.fetch_unbound(sql.goodbye, {"id": recorder.change_feed.worker.id})
            recorder.pool.closeall()


def server_connections(database: FreshDatabase) -> int:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
            (database.name, APPLICATION),
        )
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def test_two_workers_behind_it_are_fresh_and_obey(
    pooled: str, data: FreshDatabase, seeded: tuple[str, Business, Business]
) -> None:
    _, alpha, beta = seeded
    person, stranger = people_of(data)[:2]
    with (
        running_gunicorn(
            "tests.deploy.probe_app:app()", DATABASE_URL=pooled, WEB_CONCURRENCY="2", LOG_LEVEL="warning"
        ) as server,
        one_client_each(server, person.token, 2) as clients,
        running_application(data, alpha, beta, cache_enabled=False) as keepless,
    ):
        for _ in range(5):
            write(data, alpha.id)
            for client in clients.values():
                for who in (person, stranger):
                    sent = {"Authorization": f"Bearer {who.token}"}
                    right = keepless.flask.test_client().get(STATS, headers=sent).data

                    def is_new(client=client, sent=sent, right=right) -> bool:  # type: ignore[no-untyped-def]
                        return client.get(STATS, **sent).body == right

                    eventually("the answer is new", is_new, 5)
        one, other = clients.values()
        assert one.post("/api/jobs", {"title": "new"}).status == 201
        told = other.post("/api/health/cache/clear", {}).json
        assert set(told["cleared"]) >= clients.keys()


def test_it_tries_to_reach_a_server_that_is_away_every_second(
    folder_of_clusters: Path, tmp_path: Path
) -> None:
    """By default it would refuse everybody for 15 s after one connect that failed, and a restart would take as long."""
    log = tmp_path / "pgbouncer.log"
    with (
        running_cluster(folder_of_clusters / "behind-pgbouncer") as cluster,
        fresh_database(cluster, migrate_template(cluster)) as database,
        running_pgbouncer(cluster, database.name, log=log) as url,
    ):

        def answers() -> bool:
            try:
                with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    return True
            except psycopg2.Error:
                return False

        def failed_connects() -> int:
            assert not answers()
            return log.read_text().count("connect failed")

        assert answers()
        cluster.stop()
        eventually("it has tried three times", lambda: failed_connects() >= 3, 14)
        cluster.start()
        eventually("answers come again", answers)
