"""After any history, and at any moment of it, the stored counts equal those of the tables, also after kills."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import psycopg2
import pytest
from psycopg2.errors import DeadlockDetected

from tests.clusters import FreshDatabase, cluster_folder, migrate_template, running_cluster
from tests.rollups.conftest import DIFFERENCES, Books
from tests.rollups.history import Writer, repeatedly, was_lost
from tests.seed import seed as seed_businesses
from tests.waiting import eventually

# A thread that dies of an error would leave the rest to pass without it.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
WRITERS = 8
PATIENCE = 60.0  # seconds
# Only who is at it, holding the lock.
FOLDING = """
SELECT a.pid
FROM pg_stat_activity AS a
CROSS JOIN LATERAL pg_terminate_backend(a.pid) AS killed
WHERE a.datname = current_database()
    AND a.state = 'active'
    AND a.query LIKE 'SELECT fold_rollups(%'
"""


@pytest.fixture
def crashing() -> Iterator[Books]:
    """On a server of its own, to be crashed."""
    with cluster_folder() as folder, running_cluster(folder / "crashing") as cluster:
        database = FreshDatabase(cluster, migrate_template(cluster))
        alpha, beta = seed_businesses(database.superuser_url)
        with closing(psycopg2.connect(database.superuser_url)) as connection:
            connection.autocommit = True
            yield Books(database, alpha, beta, connection)


@contextmanager
def history(books: Books, seed: int) -> Iterator[tuple[list[Writer], list[int]]]:
    """Eight writers, of which some are killed, while two fold as much as they get at a time, and are killed too."""
    done = threading.Event()
    killed: list[int] = []
    choose = random.Random(seed)
    tenants = [books.alpha.id, books.beta.id]
    writers = [Writer(books.database.superuser_url, tenants, seed + number) for number in range(WRITERS)]

    def fold() -> None:
        with books.session(books.database.app_url) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for _ in range(50):
                cursor.execute("SELECT fold_rollups(%s)", (choose.choice([1, 7, 100, 10_000]),))

    def kill() -> None:
        with books.session() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (choose.choice(writers).pid,))

    def kill_folding() -> None:
        with books.session() as connection, connection.cursor() as cursor:
            cursor.execute(FOLDING)
            killed.extend(pid for (pid,) in cursor.fetchall())

    threads = [threading.Thread(target=writer.write_until, args=(done,), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    threads += [repeatedly(done, 0.01, fold), repeatedly(done, 0.01, fold), repeatedly(done, 0.3, kill)]
    threads.append(repeatedly(done, 0.2, kill_folding))
    try:
        yield writers, killed
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)


def prove(books: Books, seed: int, seconds: float) -> tuple[int, list[Writer], list[int]]:
    """Compare while writers run; how often, the writers, and who was killed while folding."""
    checks = 0
    began = time.monotonic()
    with history(books, seed) as (writers, killed), ExitStack() as stack:
        cursor = None
        # On a busy machine it may take longer until somebody is killed while folding.
        while (passed := time.monotonic() - began) < seconds or (not killed and passed < seconds + PATIENCE):
            try:
                cursor = cursor or stack.enter_context(books.session()).cursor()
                cursor.execute(DIFFERENCES)
                assert cursor.fetchall() == [], f"seed {seed}"
                cursor.connection.commit()
                checks += 1
            # A TRUNCATE locks tables in another order than a reader.
            except DeadlockDetected:
                cursor.connection.rollback()
            # The server was crashed on purpose.
            except psycopg2.Error as error:
                if not was_lost(error):
                    raise
                cursor = None
    return checks, writers, killed


def settle(books: Books, seed: int) -> None:
    """At rest, and when everything is folded, there is no difference either, and nothing left over."""
    assert books.differences() == [], f"seed {seed}, at rest"
    # The server may still be ending sessions that were killed; one of them may hold what folding needs.
    eventually("all is folded", lambda: books.fold() == 0)
    assert books.differences() == [], f"seed {seed}, all folded"
    assert books.run("SELECT count(*) FROM rollup_deltas") == [(0,)]
    left = "SELECT count(*) FROM rollups WHERE n = 0 OR tenant_id NOT IN (SELECT id FROM tenants)"
    assert books.run(left) == [(0,)], "counts of nothing, or of a business that is gone"


def test_counts_are_exact_while_eight_write_and_some_are_killed(books: Books) -> None:
    seed = random.randrange(10**6)
    checks, writers, killed = prove(books, seed, seconds=5)
    settle(books, seed)
    assert checks >= 5
    assert killed, "nobody was killed while folding"
    assert sum(writer.committed for writer in writers) > 50
    assert sum(writer.undone for writer in writers) > 20
    assert sum(writer.lost for writer in writers) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_counts_are_exact_for_a_long_time(books: Books, seed: int) -> None:
    checks, writers, killed = prove(books, 1000 * seed, seconds=60)
    settle(books, seed)
    print(told(checks, writers, killed))
    # A few a second; on a busy machine, where each waits for a TRUNCATE, less.
    assert checks >= 20
    assert sum(writer.committed for writer in writers) > 500
    assert len(killed) > 10


LENGTHS = [pytest.param(6.0, 1.5, id="short"), pytest.param(120.0, 4.0, id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize(("seconds", "every"), LENGTHS)
def test_counts_are_exact_when_the_server_crashes_too(crashing: Books, seconds: float, every: float) -> None:
    """As in a loss of power: the server ends without a word, and recovers."""
    crashes: list[float] = []

    def crash() -> None:
        crashing.database.cluster.restart("immediate")
        crashes.append(time.monotonic())

    seed, done = random.randrange(10**6), threading.Event()
    crasher = repeatedly(done, every, crash)
    try:
        checks, writers, killed = prove(crashing, seed, seconds)
    finally:
        done.set()
        crasher.join(60)
    print(told(checks, writers, killed), f"{len(crashes)} crashes")
    assert len(crashes) >= 2
    assert checks >= 1
    assert sum(writer.committed for writer in writers) > 20
    # The connection of before did not live through it.
    with closing(psycopg2.connect(crashing.database.superuser_url)) as connection:
        connection.autocommit = True
        settle(replace(crashing, connection=connection), seed)


def told(checks: int, writers: list[Writer], killed: list[int]) -> str:
    committed, undone, lost = (
        sum(getattr(writer, name) for writer in writers) for name in ("committed", "undone", "lost")
    )
    return f"\n{checks} checks, {committed} committed, {undone} undone, {lost} lost, {len(killed)} killed folding"
