"""Every change that becomes visible is heard, once, however transactions overlap and whatever the server does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.db.embedded import Cluster
from opsboard.fleet import change_feed as module
from tests.clusters import SETTINGS, FreshDatabase, cluster_folder, fresh_database, migrate_template
from tests.fleet.feed_recorder import FeedRecorder
from tests.fleet.overlapping import TABLES, Visible, Writer
from tests.waiting import eventually

WRITERS = 3
# "beat" and "prune" are the change feed's; all others are a writer's.
STEPS = [
    "write", "write", "write", "savepoint", "undo", "release", "many", "commit", "commit", "rollback", "killed",
    "prepare", "finish", "beat", "beat", "prune",
]  # fmt: skip
STEP = st.tuples(
    st.sampled_from(STEPS), st.integers(0, WRITERS - 1), st.integers(0, 1), st.sampled_from(TABLES)
)


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A server of these tests' own: it is killed and restarted, and knows prepared transactions."""
    with cluster_folder() as folder:
        cluster = Cluster(
            folder / "own", durable=False, settings={**SETTINGS, "max_prepared_transactions": "10"}
        )
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")


@pytest.fixture(scope="module")
def data(own: Cluster) -> Iterator[FreshDatabase]:
    with fresh_database(own, migrate_template(own)) as database:
        run(database, "INSERT INTO tenants (slug, name) SELECT 't' || n, 'T' FROM generate_series(1, 2) AS n")
        for table in ("customers", "processes"):
            run(
                database,
                f"INSERT INTO {table} (tenant_id, name) SELECT t.id, 'of ' || w "
                f"FROM tenants AS t CROSS JOIN generate_series(0, {WRITERS - 1}) AS w",
            )
        yield database


@pytest.fixture
def recorder(data: FreshDatabase) -> Iterator[FeedRecorder]:
    listener = FeedRecorder(data.app_url)
    listener.change_feed.poll()
    listener.changes.clear()
    listener.resets = 0
    yield listener
    listener.pool.closeall()


def run(database: FreshDatabase, sql: str) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql)


def write(database: FreshDatabase, tenant: int = 1) -> None:
    run(database, f"INSERT INTO machines (tenant_id, name) VALUES ({tenant}, 'new')")


def listen_and_compare(listener: FeedRecorder, visible: Visible) -> None:
    listener.change_feed.poll()
    assert sorted(listener.changes) == sorted(visible.changes), (
        "all that became visible, once, and nothing else"
    )
    listener.changes.clear()
    visible.changes.clear()


def prune(database: FreshDatabase, listener: FeedRecorder) -> None:
    """As when a minute has passed: only what all have read may go."""
    run(database, "UPDATE changes SET at = at - interval '2 minutes'")
    listener.change_feed._snapshot_at_prune = listener.change_feed.seen
    listener.change_feed._prune()


def live_through(database: FreshDatabase, steps: list[tuple[str, int, int, str]]) -> None:
    listener, visible = FeedRecorder(database.app_url), Visible()
    writers = [Writer(number, database.superuser_url, visible) for number in range(WRITERS)]
    try:
        listener.change_feed.poll()
        listener.changes.clear()
        for step, writer, tenant, table in steps:
            if step == "beat":
                listen_and_compare(listener, visible)
            elif step == "prune":
                prune(database, listener)
            else:
                getattr(writers[writer], step)(tenant + 1, table)
        # Once with transactions open and what others committed meanwhile just heard, once when all have ended.
        for _ in range(2):
            listen_and_compare(listener, visible)
        for writer in range(WRITERS):
            writers[writer].commit(1, TABLES[0])
        listen_and_compare(listener, visible)
    finally:
        for name in visible.prepared:
            run(database, f"ROLLBACK PREPARED '{name}'")
        for writer in writers:
            writer.close()
        listener.pool.closeall()


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEP, min_size=12, max_size=40))
def test_overlapping_transactions_miss_nothing(
    data: FreshDatabase, steps: list[tuple[str, int, int, str]]
) -> None:
    live_through(data, steps)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(steps=st.lists(STEP, max_size=150))
def test_overlapping_transactions_miss_nothing_for_a_long_time(
    data: FreshDatabase, steps: list[tuple[str, int, int, str]]
) -> None:
    live_through(data, steps)


def test_later_numbers_that_commit_sooner_are_no_reason_to_miss_the_earlier(
    data: FreshDatabase, recorder: FeedRecorder
) -> None:
    visible = Visible()
    first, second = (Writer(number, data.superuser_url, visible) for number in range(2))
    first.write(1, "machines")
    second.write(2, "machines")
    second.commit(2, "machines")
    listen_and_compare(recorder, visible)
    first.commit(1, "machines")
    assert visible.changes == {(1, "machines")}
    listen_and_compare(recorder, visible)
    first.close()
    second.close()


def test_what_became_visible_after_the_last_beat_is_not_pruned(
    data: FreshDatabase, recorder: FeedRecorder
) -> None:
    visible = Visible()
    writer = Writer(0, data.superuser_url, visible)
    writer.write(1, "machines")
    write(data, tenant=2)  # so that the number of the open transaction is not the highest
    recorder.change_feed.poll()
    recorder.changes.clear()
    writer.commit(1, "machines")
    prune(data, recorder)
    listen_and_compare(recorder, visible)
    writer.close()


@pytest.mark.parametrize("silence", [1, 9, 11, 20, 29, 31, 39, 41, 60, 100])
def test_what_a_long_transaction_changed_is_not_pruned_before_a_silent_worker_can_tell(
    data: FreshDatabase, recorder: FeedRecorder, monkeypatch: pytest.MonkeyPatch, silence: int
) -> None:
    """One worker falls silent while another goes on, and prunes; the clock of both is the test's."""
    now = 1000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    other = FeedRecorder(data.app_url)
    with closing(psycopg2.connect(data.superuser_url)) as writer, writer.cursor() as cursor:
        cursor.execute("INSERT INTO machines (tenant_id, name) VALUES (1, 'slowly')")
        cursor.execute("UPDATE changes SET at = at - interval '10 minutes' WHERE xid = pg_current_xact_id()")
        for listener in (other, recorder):
            listener.change_feed._reset()
            listener.change_feed.poll()
        recorder.changes.clear()
        recorder.resets = 0
        writer.commit()
    for _ in range(2 * silence):
        now += 0.5
        other.change_feed.poll()
    recorder.change_feed.poll()
    assert recorder.changes == [(1, "machines")] or recorder.resets > 0
    assert (recorder.resets > 0) == (silence > module.LONGEST_GAP), "and nothing is thrown away without need"
    if silence > 90:
        left = psycopg2.connect(data.superuser_url)
        with closing(left), left.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM changes WHERE at < now() - interval '5 minutes'")
            assert cursor.fetchone() == (0,), "it is pruned in the end"
    other.pool.closeall()


@pytest.mark.parametrize("end", ["fast", "immediate", "a backend is killed", "the writer is killed"])
def test_a_change_that_a_server_takes_with_it_loses_everything(
    own: Cluster, data: FreshDatabase, recorder: FeedRecorder, end: str
) -> None:
    """`changes` is unlogged: what the change feed had not read when the server crashed is gone."""
    write(data)
    if end in ("fast", "immediate"):
        own.restart(end)
    else:
        with closing(psycopg2.connect(data.superuser_url)) as victim:
            if end == "the writer is killed":
                victim.cursor().execute("INSERT INTO machines (tenant_id, name) VALUES (1, 'half')")
            os.kill(victim.info.backend_pid, signal.SIGKILL)

    def heard_again() -> bool:
        before = recorder.polls
        recorder.change_feed.poll()
        return recorder.polls > before

    # The server recovers by itself; until then nothing is heard, or the last of the old one.
    eventually("the change feed hears the new server", lambda: heard_again() and recorder.resets > 0, 20)
    recorder.changes.clear()
    write(data)
    recorder.change_feed.poll()
    assert recorder.changes == [(1, "machines")]


def test_an_answer_that_was_long_on_its_way_tells_of_the_time_it_was_asked(
    recorder: FeedRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    database = recorder.change_feed.database
    right = database.fetch_unbound

    def slowly(*arguments: object) -> object:
        nonlocal now
        row = right(*arguments)  # type: ignore[arg-type]
        now += 0.9
        return row

    monkeypatch.setattr(database, "fetch_unbound", slowly)
    recorder.change_feed._read_changes()
    assert recorder.change_feed.lag == pytest.approx(0.9)
    now += module.STALE_AFTER - 0.9
    assert not recorder.change_feed.is_stale
    now += 0.01
    assert recorder.change_feed.is_stale
    assert recorder.current_at == [1000.0]
