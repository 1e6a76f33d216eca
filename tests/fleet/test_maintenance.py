"""Maintenance folds counted deltas, and lives through a database that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from structlog.testing import capture_logs

from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.errors import DatabaseUnavailable
from opsboard.fleet import maintenance as module
from opsboard.fleet.maintenance import Maintenance
from tests.application import Application


class Kept:
    """Maintenance on a database, without its thread unless the test starts it."""

    def __init__(self, application: Application) -> None:
        self.url = application.database.superuser_url
        self.pool = Pool(0, 1, application.database.app_url, timeout=1.0)
        self.maintenance = Maintenance(Database(self.pool, 10.0), interval=0.01)

    def run(self, sql: str) -> Any:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None


@pytest.fixture
def kept(own_app: Application) -> Iterator[Kept]:
    keeper = Kept(own_app)
    yield keeper
    keeper.maintenance.stop()


def test_a_beat_folds_everything_however_many_batches_it_takes(kept: Kept, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    ((waiting,),) = kept.run("SELECT count(*) FROM rollup_deltas")
    assert waiting > 30
    kept.maintenance.run_once()
    assert kept.run("SELECT count(*) FROM rollup_deltas") == [(0,)]
    assert kept.run("SELECT count(*) > 0 FROM rollups") == [(True,)]


def test_a_database_that_is_away_is_told_once(kept: Kept, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> Any:
        raise DatabaseUnavailable()

    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr(Database, "fetch_unbound", refuse)
            for _ in range(3):
                kept.maintenance.run_once()
        assert [entry["event"] for entry in logs] == [
            "maintenance cannot reach the database; counts stay right"
        ]
    kept.maintenance.run_once()
    assert kept.run("SELECT count(*) FROM rollup_deltas") == [(0,)]


def test_its_thread_folds_by_itself_until_it_is_stopped(kept: Kept) -> None:
    kept.maintenance.start()
    kept.maintenance.start()
    kept.run("UPDATE jobs SET status = 'draft'")
    ends = time.monotonic() + 20
    while kept.run("SELECT count(*) FROM rollup_deltas") != [(0,)]:
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert kept.run("SELECT count(*) FROM rollup_differences(1)") == [(0,)]


def test_coming_months_are_made_at_the_first_beat_and_again_a_day_later(kept: Kept, monkeypatch: Any) -> None:
    asked = []
    plain = Database.fetch_unbound

    def listen(self: Database, query: Any, parameters: Any = None) -> Any:
        asked.append(query.name)
        return plain(self, query, parameters)

    monkeypatch.setattr(Database, "fetch_unbound", listen)
    for _ in range(3):
        kept.maintenance.run_once()
    assert asked.count("fleet.ensure_partitions") == 1
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.DAY + 1)
    kept.maintenance.run_once()
    assert asked.count("fleet.ensure_partitions") == 2


def test_months_are_asked_for_again_soon_when_another_worker_is_at_it(kept: Kept, monkeypatch: Any) -> None:
    with closing(psycopg2.connect(kept.url)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1869640546, 5)")
        kept.maintenance.run_once()
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.RETRY_AFTER + 1)
    kept.maintenance.run_once()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.DAY)
    asked = []
    monkeypatch.setattr(Maintenance, "_make_partitions", lambda _: asked.append("again"))
    kept.maintenance.run_once()
    assert asked == [], "the second time it was done, for a day"
