"""A command that waits for a frozen server ends; one that waits for a long statement does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsboard.cli import opsboard
from opsboard.db import server_watch
from opsboard.db.embedded import Cluster
from opsboard.db.migration_lock import reading_session
from opsboard.db.session import connected
from opsboard.errors import CommandError, MigrationError
from tests.application import SECRET
from tests.clusters import FreshDatabase, migrate_template, running_cluster


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_watch, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(server_watch, "CONNECT_TIMEOUT", 2)  # libpq takes no less


@pytest.fixture(scope="module")
def own_cluster(folder_of_clusters: Path) -> Iterator[Cluster]:
    with running_cluster(folder_of_clusters / "frozen") as cluster:
        migrate_template(cluster)
        yield cluster


@pytest.fixture
def frozen(own_cluster: Cluster) -> Iterator[FreshDatabase]:
    """A server all of whose processes stand still after the test has called `freeze`."""
    database = FreshDatabase(own_cluster, "opsboard_template")
    yield database
    send(own_cluster, signal.SIGCONT)


def send(cluster: Cluster, number: signal.Signals) -> None:
    for pid in processes(cluster):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def processes(cluster: Cluster) -> list[int]:
    postmaster = cluster.pid
    assert postmaster
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def freeze(database: FreshDatabase) -> None:
    send(database.cluster, signal.SIGSTOP)


def test_a_statement_may_take_longer_than_the_watch_waits(frozen: FreshDatabase) -> None:
    with connected(frozen.app_url, "test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.5)")
        assert cursor.fetchone() is not None


def test_a_server_that_freezes_during_a_statement_ends_the_command(frozen: FreshDatabase) -> None:
    with (  # noqa: PT012
        pytest.raises(CommandError, match="does not answer"),
        connected(frozen.app_url, "test") as connection,
        connection.cursor() as cursor,
    ):
        freeze(frozen)
        cursor.execute("SELECT 1")


def test_a_migration_that_waits_for_a_frozen_server_ends(frozen: FreshDatabase) -> None:
    with (  # noqa: PT012
        pytest.raises(MigrationError, match="does not answer"),
        reading_session(frozen.owner_url) as connection,
        connection.cursor() as cursor,
    ):
        freeze(frozen)
        cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "words", ["doctor", "migrate --status", "migrate", "indexes verify", "indexes build", "rollups verify"]
)
def test_every_command_ends_on_a_server_that_is_frozen(
    frozen: FreshDatabase, tmp_path: Path, words: str
) -> None:
    freeze(frozen)
    settings = {
        "DATABASE_URL": frozen.app_url, "DATABASE_OWNER_URL": frozen.owner_url, "SECRET_KEY": SECRET,
        "OPSBOARD_DATA": str(tmp_path),
    }  # fmt: skip
    assert CliRunner().invoke(opsboard, words.split(), env=settings).exit_code != 0
