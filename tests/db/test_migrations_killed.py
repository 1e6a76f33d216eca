"""After a migrator is killed at any moment, running it again gives the schema of a clean install."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.migration_files import built_index, read_migrations
from opsboard.db.migrations import Migrator, default_folder
from opsboard.errors import MigrationError
from tests.clusters import FreshDatabase
from tests.db.migrating import (
    Point,
    alive,
    blank_database,
    die_at,
    dump,
    fork,
    journal,
    query,
    quiet_migrator,
    struck_at,
    terminate,
    wait_until,
)

FOLDER = default_folder()
MIGRATIONS = read_migrations(FOLDER)
IDS = [migration.id for migration in MIGRATIONS]
CONCURRENT = next(migration for migration in MIGRATIONS if not migration.up.transactional)


Points = Callable[[dict[str, list[str]]], list[Point]]


def few(events: list[str]) -> list[Point]:
    """Some points of a migration: around its first statement, in the middle, and around its end."""
    places = sorted({0, len(events) // 2, len(events) - 2, len(events) - 1})
    return [Point("before", events[0]), *(Point("after", events[place]) for place in places)]


def several_of_each(migrations: dict[str, list[str]]) -> list[Point]:
    return [point for events in migrations.values() for point in few(events)]


def one_of_each(migrations: dict[str, list[str]]) -> list[Point]:
    """One point of each migration, each time the next of its points, so that every kind of point has its turn."""
    points = map(few, migrations.values())
    return [of_one[number % len(of_one)] for number, of_one in enumerate(points)]


AT_EACH_OR_FEW = pytest.mark.parametrize(
    "points", [one_of_each, pytest.param(several_of_each, marks=pytest.mark.slow)]
)


@pytest.fixture
def blank(any_cluster: Cluster) -> Iterator[FreshDatabase]:
    """An unmigrated database on PostgreSQL 18 and again on 15."""
    with blank_database(any_cluster) as database:
        yield database


@dataclass(frozen=True)
class Clean:
    """Undisturbed migrations: the dumps around them, and the statements of each."""

    before: str
    after: str
    up: dict[str, list[str]]
    down: dict[str, list[str]]


@pytest.fixture(scope="session")
def clean(any_cluster: Cluster) -> Clean:
    """A clean install, taken back at last."""
    with blank_database(any_cluster) as database:
        migrator = quiet_migrator(database, FOLDER)
        before = dump(database)
        up = {key: journal(partial(migrator.up, key)) for key in IDS}
        after = dump(database)
        earlier = ["zero", *IDS]
        down = {
            key: journal(partial(migrator.down, to))
            for to, key in reversed(list(zip(earlier, IDS, strict=False)))
        }
        return Clean(before, after, up, down)


@AT_EACH_OR_FEW
def test_killed_at_any_step_and_run_again_is_a_clean_install(
    blank: FreshDatabase, clean: Clean, points: Points
) -> None:
    migrator = quiet_migrator(blank, FOLDER)
    for point in points(clean.up):
        die_at(point, migrator.up)
    migrator.up()
    migrator.verify()
    assert dump(blank) == clean.after


@AT_EACH_OR_FEW
def test_connection_ended_at_any_step_and_run_again_is_a_clean_install(
    blank: FreshDatabase, clean: Clean, points: Points
) -> None:
    migrator = quiet_migrator(blank, FOLDER)
    for point in points(clean.up):
        # After its last statement a run has nothing left that could fail.
        with struck_at(point, lambda conn: terminate(blank, conn)), suppress(MigrationError):
            migrator.up()
    migrator.up()
    migrator.verify()
    assert dump(blank) == clean.after


@AT_EACH_OR_FEW
def test_down_killed_at_any_step_and_run_again_leaves_nothing(
    blank: FreshDatabase, clean: Clean, points: Points
) -> None:
    migrator = quiet_migrator(blank, FOLDER)
    migrator.up()
    for point in points(clean.down):
        die_at(point, lambda: migrator.down("zero"))
    migrator.down("zero")
    assert dump(blank) == clean.before


def test_down_and_up_again_is_a_clean_install(blank: FreshDatabase, clean: Clean) -> None:
    migrator = quiet_migrator(blank, FOLDER)
    migrator.up()
    for before in [*reversed(IDS[:-1]), "zero"]:
        migrator.down(before)
    assert dump(blank) == clean.before
    migrator.up()
    migrator.verify()
    assert dump(blank) == clean.after


def test_turning_round_in_the_middle_of_a_file_without_a_transaction(
    blank: FreshDatabase, clean: Clean
) -> None:
    migrator = quiet_migrator(blank, FOLDER)
    up, down = clean.up[CONCURRENT.id], clean.down[CONCURRENT.id]
    die_at(Point("after", up[len(up) // 2]), migrator.up)
    assert dict((line.id, line.state) for line in migrator.status())[CONCURRENT.id] == "unfinished"
    with pytest.raises(MigrationError, match=f"{CONCURRENT.id}: unfinished"):
        migrator.verify()
    migrator.down("zero")
    assert dump(blank) == clean.before
    migrator.up()
    die_at(Point("after", down[len(down) // 2]), lambda: migrator.down("zero"))
    assert migrator.pending()[0] == CONCURRENT.id
    migrator.up()
    migrator.verify()
    assert dump(blank) == clean.after


@pytest.mark.parametrize("how", ["client killed", "connection ended"])
def test_index_build_cut_short_is_found_dropped_and_built_again(
    blank: FreshDatabase, clean: Clean, how: str
) -> None:
    said: list[str] = []
    migrator = Migrator(blank.owner_url, FOLDER, report=said.append)
    migrator.up(IDS[IDS.index(CONCURRENT.id) - 1])
    index = built_index(CONCURRENT.up.statements[0])
    with closing(psycopg2.connect(blank.superuser_url)) as reader:
        # Its snapshot is older than the index, which must wait for it before it can be valid.
        reader.set_session(isolation_level="REPEATABLE READ")
        reader.cursor().execute("SELECT count(*) FROM pg_class")
        child = fork(migrator.up)
        wait_until(lambda: waits_for_a_snapshot(blank), "the build to wait for the reader")
        (builder,) = waits_for_a_snapshot(blank)
        if how == "client killed":
            os.kill(child, signal.SIGKILL)
        else:
            query(blank.superuser_url, "SELECT pg_terminate_backend(%s)", builder)
        os.waitpid(child, 0)
        # Also when its client is gone without a word, and although the reader still reads.
        wait_until(lambda: not alive(blank, builder[0]), "the build to stop")
        with pytest.raises(MigrationError, match=f"index {index}: invalid"):
            migrator.verify()
    migrator.up()
    assert f"dropping invalid index {index}, left by an interrupted run" in said
    migrator.verify()
    assert dump(blank) == clean.after


@pytest.mark.slow
@pytest.mark.parametrize("migration", IDS)
@pytest.mark.parametrize("how", ["client killed", "connection ended"])
def test_killed_at_every_step_of_one_migration(
    any_cluster: Cluster, clean: Clean, migration: str, how: str
) -> None:
    position = IDS.index(migration)
    with blank_database(any_cluster) as before, blank_database(any_cluster) as after:
        if position:
            quiet_migrator(before, FOLDER).up(IDS[position - 1])
        quiet_migrator(after, FOLDER).up(migration)
        wanted = dump(after)
        events = clean.up[migration]
        for point in [Point("before", events[0]), *(Point("after", event) for event in events)]:
            with blank_database(any_cluster, before.name) as database:
                interrupt(database, migration, point, how)
                migrator = quiet_migrator(database, FOLDER)
                migrator.up(migration)
                migrator.verify()
                assert dump(database) == wanted, point


def interrupt(database: FreshDatabase, migration: str, point: Point, how: str) -> None:
    """Migrate and be stopped at the point."""
    migrator = quiet_migrator(database, FOLDER)
    if how == "client killed":
        die_at(point, lambda: migrator.up(migration))
        return
    with struck_at(point, lambda conn: terminate(database, conn)), suppress(MigrationError):
        migrator.up(migration)


def waits_for_a_snapshot(database: FreshDatabase) -> list[tuple[int]]:
    """Backends that wait for an older transaction to end."""
    return query(
        database.superuser_url,
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND datname = current_database()",
    )
