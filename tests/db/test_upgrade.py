"""A database of each release, with its rows, goes forward and back while the old service works on it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.migrations import Migrator
from tests.clusters import MIGRATIONS, FreshDatabase
from tests.db.migrating import blank_database, dump
from tests.released import last_released

# Release -> its last migration. `python -m tests.db.record_release` makes what lies in its folder.
RELEASES = {"0_1_0": "0029_more_counts", "0_2_0": "0250_words_of_many_pending"}
FIRST = "0_1_0"
LAST = RELEASES[FIRST]
# Errors a statement may meet if another run changed its rows: constraint violations.
EXPECTED = ("23",)

# Writes of 0.1.0 that fail between the migration and the reload: their ON CONFLICT names an index that has
# changed since. docs/operations.md documents it; nothing else may be here.
UNTIL_THE_RELOAD = {FIRST: {"campaigns.add_recipients", "campaigns.take_events"}}


def read(release: str, name: str) -> str:
    return gzip.decompress((Path(__file__).parent / f"release_{release}" / name).read_bytes()).decode()


# A definition is read of an index that a migration drops at that moment. The statement of 0.1.0 can no longer be
# changed; today's reads again (tests/db/test_lookout.py).
DROPPED_MEANWHILE = "XX000"


class OldService:
    """Runs the old statements over and over in a thread, as the service's role, and keeps what went wrong."""

    def __init__(self, database: FreshDatabase, release: str) -> None:
        self._url = database.app_url
        self._release = release
        self._statements: list[str] = json.loads(read(release, "statements.json.gz"))
        self._stop = threading.Event()
        self.rounds = 0
        self.faults: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not self._stop.is_set():
                for statement in self._statements:
                    try:
                        cursor.execute(statement)
                    except psycopg2.Error as error:
                        self._judge(error, statement)
                        cursor.execute("ROLLBACK")
                self.rounds += 1

    def _judge(self, error: psycopg2.Error, statement: str) -> None:
        if (error.pgcode or "").startswith(EXPECTED):
            return
        named = re.search(r"/\* (\S+) \*/", statement)
        if named and named[1] == "health.indexes" and error.pgcode == DROPPED_MEANWHILE:
            return
        known = UNTIL_THE_RELOAD.get(self._release, set())
        if not (error.pgcode == "42P10" and named and named[1] in known):
            self.faults.append(f"{error.pgcode} {error} in {statement[:80]}")

    def works_on(self) -> None:
        """Wait for a whole round that began after this call."""
        until = self.rounds + 2
        while self.rounds < until and self._thread.is_alive() and not self.faults:
            self._stop.wait(0.02)
        assert self.faults == []

    @contextmanager
    def working(self) -> Iterator[OldService]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


@contextmanager
def database_of_release(cluster: Cluster, folder: Path, release: str = FIRST) -> Iterator[FreshDatabase]:
    """A database of a release with rows in it. `folder` gets its migrations."""
    for path in MIGRATIONS.glob("*.sql"):
        if path.name[:4] <= RELEASES[release][:4]:
            shutil.copy(path, folder)
    with blank_database(cluster) as database:
        Migrator(database.owner_url, folder, report=lambda _: None).up()
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(read(release, "data.sql.gz"))
            connection.commit()
        yield database


@pytest.fixture
def released(cluster: Cluster, tmp_path: Path) -> Iterator[FreshDatabase]:
    with database_of_release(cluster, tmp_path) as database:
        yield database


def counts(database: FreshDatabase) -> tuple[dict[str, int], int]:
    """Rows of the tables that nothing is removed from, and how many kept counts are wrong."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        found = {}
        for table in (
            "tenants",
            "users",
            "customers",
            "jobs",
            "job_steps",
            "leads",
            "audit_logs",
            "messages",
        ):
            cursor.execute(f"SELECT count(*) FROM {table}")
            ((found[table],),) = cursor.fetchall()
        wrong = 0
        for tenant in (1, 2):
            cursor.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant),))
            cursor.execute("SELECT count(*) FROM rollup_differences(%s)", (tenant,))
            wrong += cursor.fetchall()[0][0]
        return found, wrong


def shape_of(database: FreshDatabase) -> list[str]:
    """The schema, whatever the order of columns: one that went and came back is the last."""
    return sorted(line.rstrip(",") for line in dump(database).splitlines())


@pytest.mark.parametrize("release", RELEASES)
def test_a_database_of_a_release_goes_forward_and_back_under_its_service(
    cluster: Cluster, tmp_path: Path, release: str
) -> None:
    last = RELEASES[release]
    with database_of_release(cluster, tmp_path, release) as released:
        before, wrong = counts(released)
        assert wrong == 0 and min(before.values()) > 0
        shape = shape_of(released)
        migrator = Migrator(released.owner_url, MIGRATIONS, report=lambda _: None)
        newer = migrator.pending()
        with OldService(released, release).working() as service:
            service.works_on()
            assert len(migrator.up()) == len(newer)
            service.works_on()
            assert migrator.pending() == []
            migrator.verify()
            assert counts(released)[1] == 0
            migrator.down(last)
            service.works_on()
        after, wrong = counts(released)
        assert wrong == 0
        assert all(after[table] >= rows for table, rows in before.items()), (before, after)
        assert shape_of(released) == shape


def test_the_last_release_is_among_them() -> None:
    assert RELEASES[max(RELEASES)] == last_released(), (
        "python -m tests.db.record_release; see CONTRIBUTING.md"
    )
