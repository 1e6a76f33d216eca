"""Two migrators of one database: one works, the other waits, and the lock never outlives its holder."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import OWNER, Cluster
from opsboard.db.migration_files import read_migrations
from opsboard.db.migrations import Migrator, default_folder
from opsboard.errors import MigrationError
from tests.clusters import FreshDatabase
from tests.db.migrating import (
    Point,
    blank_database,
    dump,
    fork,
    query,
    quiet_migrator,
    struck_at,
    wait_until,
    write_migrations,
)
from tests.pgbouncer import running_pgbouncer

FOLDER = default_folder()
MIGRATIONS = read_migrations(FOLDER)
IDS = [migration.id for migration in MIGRATIONS]
CONCURRENT = next(migration for migration in MIGRATIONS if not migration.up.transactional)


@pytest.fixture
def blank(any_cluster: Cluster) -> Iterator[FreshDatabase]:
    """An unmigrated database on PostgreSQL 18 and again on 15."""
    with blank_database(any_cluster) as database:
        yield database


class Waiter:
    """A migrator in a thread, which another one keeps waiting."""

    def __init__(self, database: FreshDatabase) -> None:
        self.said: list[str] = []
        self.applied: list[str] | None = None
        self._migrator = Migrator(database.owner_url, FOLDER, report=self.said.append)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def until_it_waits(self) -> str:
        """Return its message."""
        wait_until(lambda: self.said, "the second migrator to wait")
        return self.said[0]

    def until_it_is_done(self) -> list[str] | None:
        """Return the applied migrations."""
        self._thread.join(30)
        return self.applied

    def _run(self) -> None:
        self.applied = self._migrator.up()


@contextmanager
def stopped_migrator(database: FreshDatabase, point: Point) -> Iterator[int]:
    """A migrator in a process of its own that stands still at the point, until SIGCONT; its pid."""

    def child() -> None:
        with struck_at(point, lambda _: os.kill(os.getpid(), signal.SIGSTOP)):
            quiet_migrator(database, FOLDER).up()

    pid = fork(child)
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"never came to {point}"
    try:
        yield pid
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGKILL}


def lock_holders(database: FreshDatabase) -> list[tuple[int]]:
    """Backends with an advisory lock on the database."""
    return query(
        database.superuser_url,
        "SELECT pid FROM pg_locks JOIN pg_database AS d ON d.oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database()",
    )


def test_second_migrator_says_who_it_waits_for_and_then_finds_nothing_to_do(blank: FreshDatabase) -> None:
    # Right before its first index: a waiter that held a snapshot would stop it from ever getting ready.
    with stopped_migrator(blank, Point("before", CONCURRENT.up.statements[0])) as holder:
        waiter = Waiter(blank)
        assert waiter.until_it_waits() == f"waiting for another migrator (pid {lock_holders(blank)[0][0]})"
        os.kill(holder, signal.SIGCONT)
        assert waiter.until_it_is_done() == []
    assert waiter.said == waiter.said[:1]
    quiet_migrator(blank, FOLDER).verify()


def test_killed_holder_lets_the_waiter_go_on_where_it_stopped(blank: FreshDatabase) -> None:
    with stopped_migrator(blank, Point("after", CONCURRENT.up.statements[0])) as holder:
        waiter = Waiter(blank)
        waiter.until_it_waits()
        os.kill(holder, signal.SIGKILL)
        assert waiter.until_it_is_done() == IDS[IDS.index(CONCURRENT.id) :]
    quiet_migrator(blank, FOLDER).verify()
    assert lock_holders(blank) == []


def test_ended_connection_of_the_holder_lets_the_waiter_go_on(blank: FreshDatabase) -> None:
    with stopped_migrator(blank, Point("before", CONCURRENT.up.statements[0])) as holder:
        waiter = Waiter(blank)
        waiter.until_it_waits()
        query(blank.superuser_url, "SELECT pg_terminate_backend(%s)", lock_holders(blank)[0])
        assert waiter.until_it_is_done() == IDS[IDS.index(CONCURRENT.id) :]
        os.kill(holder, signal.SIGKILL)


def test_race_of_two_migrators(cluster: Cluster, cluster15: Cluster, tmp_path: Path) -> None:
    for number in range(5):
        race(cluster15 if number % 2 else cluster, tmp_path / str(number))


@pytest.mark.slow
def test_hundred_races_of_two_migrators(cluster: Cluster, cluster15: Cluster, tmp_path: Path) -> None:
    for number in range(100):
        race(cluster15 if number % 2 else cluster, tmp_path / str(number))


def race(cluster: Cluster, results: Path) -> None:
    """Two processes migrate one database at the same moment: each migration is applied by one of them."""
    results.mkdir()
    with blank_database(cluster) as clean, blank_database(cluster) as database:
        quiet_migrator(clean, FOLDER).up()
        start, go = os.pipe()

        def child(name: str) -> None:
            os.close(go)
            os.read(start, 1)  # the end of the file, which comes to both at once
            (results / name).write_text("\n".join(quiet_migrator(database, FOLDER).up()))

        pids = [fork(partial(child, name)) for name in ("one", "two")]
        os.close(go)
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
        os.close(start)
        applied = [(results / name).read_text().splitlines() for name in ("one", "two")]
        assert sorted(applied) == [[], IDS]
        assert dump(database) == dump(clean)


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_pooler_that_shares_server_connections_is_refused(cluster: Cluster, size: int, in_turn: bool) -> None:
    with blank_database(cluster) as database:
        with running_pgbouncer(cluster, database.name, OWNER, size, in_turn) as url:
            assert query(url, "SELECT 1") == [(1,)]
            for go in (Migrator(url, FOLDER).up, Migrator(url, FOLDER).status):
                with pytest.raises(MigrationError, match="set DATABASE_OWNER_URL to an address that reaches"):
                    go()
            assert query(url, "SELECT current_setting('search_path')") == [('"$user", public',)]
        assert lock_holders(database) == []
        assert set(state for _, _, state in quiet_migrator(database, FOLDER).status()) == {"pending"}


def test_lock_lost_between_two_migrations_stops_the_run(cluster: Cluster, tmp_path: Path) -> None:
    folder = write_migrations(
        tmp_path, {"0001_one.sql": "CREATE TABLE one (id int);", "0002_two.sql": "CREATE TABLE two (id int);"}
    )
    with blank_database(cluster) as database:
        point = Point("after", "CREATE TABLE one (id int);")
        with struck_at(point, give_lock_away), pytest.raises(MigrationError, match="DATABASE_OWNER_URL"):
            quiet_migrator(database, folder).up()
        assert quiet_migrator(database, folder).pending() == ["0002_two"]


def give_lock_away(conn: psycopg2.extensions.connection) -> None:
    """Reset the session, as some poolers do."""
    with conn.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
