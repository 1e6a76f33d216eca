"""Exports by real workers: constant memory, and a file that is not whole never looks so."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.web.exports import STALLED
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.conftest import Person, people_of
from tests.deploy.http_client import OverUnixSocket
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.seed import Business
from tests.waiting import eventually

SHORT, LONG = 50_000, 1_000_000
# As the triggers would not make a difference to what is read, they are left out: a million rows take seconds.
FILL = """
SET session_replication_role = replica;
INSERT INTO jobs (tenant_id, job_number, title, customer_id, status, quantity)
SELECT %(tenant)s, 'E-' || n, 'exported, "job" ' || n, (SELECT min(id) FROM customers WHERE tenant_id = %(tenant)s),
    'active', n
FROM generate_series(%(first)s, %(last)s) AS n;
"""


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    """A database with jobs enough for the short form."""
    with fresh_database(cluster, seeded[0]) as database:
        fill(database, 1, SHORT)
        yield database


@pytest.fixture(scope="module")
def worker(jobs: FreshDatabase) -> Iterator[Gunicorn]:
    """One worker, so that it is the one that is measured."""
    with running_gunicorn(
        "opsboard:create_app()", DATABASE_URL=jobs.app_url, WEB_CONCURRENCY="1", EXPORT_MOST="2"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def admin(jobs: FreshDatabase) -> Person:
    return people_of(jobs)[0]


def fill(database: FreshDatabase, first: int, last: int) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(FILL, {"tenant": 1, "first": first, "last": last})
        cursor.execute("VACUUM ANALYZE jobs")


class Reading:
    """An export under way, read as much as is wanted."""

    def __init__(self, server: Gunicorn, person: Person, path: str, **headers: str) -> None:
        self.connection = OverUnixSocket(str(server.socket))
        self.connection.timeout = 300
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {person.token}", **headers})
        self.response = self.connection.getresponse()
        assert self.response.status == 200

    def lines(self) -> int:
        """Read it to its end; how many lines it had."""
        found = 0
        while part := self.response.read(1 << 20):
            found += part.count(b"\n")
        return found


def peak(server: Gunicorn) -> int:
    (pid,) = server.workers()
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) * 1024


def lent(server: Gunicorn, person: Person) -> int:
    told: Any = json.loads(server.client(person.token).get("/api/health/db").body)
    in_use: int = told["pool_stats"]["in_use"]
    return in_use


@pytest.mark.parametrize(("rows", "megabytes"), [(SHORT, 15), pytest.param(LONG, 50, marks=pytest.mark.slow)])
def test_the_memory_of_a_worker_hardly_grows_whatever_the_size(
    worker: Gunicorn, jobs: FreshDatabase, admin: Person, rows: int, megabytes: int
) -> None:
    if rows > SHORT:
        fill(jobs, SHORT + 1, rows)
    (pid,) = worker.workers()
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak so far is forgotten
    before = peak(worker)
    # With the 90 of the seed, and the line of names.
    assert Reading(worker, admin, "/api/jobs/export?sort=created_at").lines() == rows + 91
    packed = {"Accept-Encoding": "gzip"}
    Reading(worker, admin, "/api/jobs/export?format=jsonl&sort=job_number", **packed).lines()
    grown = peak(worker) - before
    print(f"{rows} rows: the worker's peak grew by {grown / 2**20:.1f} MB")
    assert grown < megabytes << 20


def test_a_database_that_goes_away_in_the_middle_never_leaves_a_file_that_looks_whole(
    worker: Gunicorn, jobs: FreshDatabase, admin: Person
) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        reading = Reading(worker, admin, "/api/jobs/export", **headers)
        reading.response.read(1000)
        with closing(psycopg2.connect(jobs.superuser_url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE query LIKE '%%list_jobs%%' AND usename = 'opsboard_app'"
            )
            assert (cursor.fetchone() or (0,))[0] >= 1
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            reading.lines()
    assert "broken off" in worker.said()
    assert Reading(worker, admin, "/api/jobs/export?q=canary").lines() > 1


def test_a_reader_that_hangs_up_gives_its_connection_back(worker: Gunicorn, admin: Person) -> None:
    for _ in range(3):  # more than may be at a time
        reading = Reading(worker, admin, "/api/jobs/export")
        reading.response.read(1000)
        assert lent(worker, admin) >= 1
        sock = reading.connection.sock or socket.socket()
        sock.shutdown(socket.SHUT_RDWR)
        reading.connection.close()
        reading.response.close()
        eventually("the connection is back", lambda: lent(worker, admin) == 0, 10)


@pytest.mark.slow
def test_a_reader_that_takes_nothing_is_cut_off(worker: Gunicorn, admin: Person) -> None:
    reading = Reading(worker, admin, "/api/jobs/export")
    reading.response.read(1000)
    assert lent(worker, admin) >= 1
    waited = eventually("the connection is back", lambda: lent(worker, admin) == 0, 2 * STALLED)
    assert waited > STALLED / 2, "it was cut off for another reason"
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        reading.lines()
