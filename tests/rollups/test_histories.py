"""After any history, and at any moment of it, the kept counts are those of the tables."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from psycopg2.errors import DeadlockDetected

from tests.rollups.conftest import DIFFERENCES, Books
from tests.rollups.history import Writer, repeatedly

WRITERS = 8


@contextmanager
def history(books: Books, seed: int) -> Iterator[tuple[list[Writer], threading.Event]]:
    """Eight writers, of which some are killed, while two fold as much as they get at a time."""
    done = threading.Event()
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

    threads = [threading.Thread(target=writer.write_until, args=(done,), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    threads += [repeatedly(done, 0.01, fold), repeatedly(done, 0.01, fold), repeatedly(done, 0.3, kill)]
    try:
        yield writers, done
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)


def prove(books: Books, seed: int, seconds: float) -> tuple[int, list[Writer]]:
    """Compare while writers run, and once more when all have ended; how often, and the writers."""
    checks = 0
    ends = time.monotonic() + seconds
    with history(books, seed) as (writers, _), ExitStack() as stack:
        cursor = stack.enter_context(stack.enter_context(books.session()).cursor())
        while time.monotonic() < ends:
            try:
                cursor.execute(DIFFERENCES)
            # A TRUNCATE locks tables in another order than a reader.
            except DeadlockDetected:
                cursor.connection.rollback()
                continue
            assert cursor.fetchall() == [], f"seed {seed}"
            cursor.connection.commit()
            checks += 1
    assert books.differences() == [], f"seed {seed}, at rest"
    while books.fold():
        pass
    assert books.differences() == [], f"seed {seed}, all folded"
    assert books.run("SELECT count(*) FROM rollup_deltas") == [(0,)]
    left = "SELECT count(*) FROM rollups WHERE n = 0 OR tenant_id NOT IN (SELECT id FROM tenants)"
    assert books.run(left) == [(0,)], "counts of nothing, or of a business that is gone"
    return checks, writers


def test_counts_are_exact_while_eight_write_and_some_are_killed(books: Books) -> None:
    checks, writers = prove(books, random.randrange(10**6), seconds=5)
    assert checks >= 5
    assert sum(writer.committed for writer in writers) > 50
    assert sum(writer.undone for writer in writers) > 20
    assert sum(writer.lost for writer in writers) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_counts_are_exact_for_a_long_time(books: Books, seed: int) -> None:
    checks, writers = prove(books, 1000 * seed, seconds=60)
    assert checks >= 50
    assert sum(writer.committed for writer in writers) > 500
