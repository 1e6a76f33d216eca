"""Measures a checkout: this pool, psycopg2's own, and psycopg2's own with SELECT 1 before each use.

    python benchmarks/pool_checkout.py [DSN]

Without a DSN it starts a throwaway Postgres. The contenders take turns in short rounds within one run, so
that other load of the machine affects all of them, and reconnect for each round, for a server process
keeps to a processor and statements on the same one as ours are thrice as fast. Printed are the median of the
rounds and their spread.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg2.pool import ThreadedConnectionPool

from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.pool import Pool

ROUNDS = 40
CHECKOUTS = 1000
STATEMENTS = 300
STATEMENT = "SELECT set_config('app.tenant_id', '1', true); SELECT 1"


def checkout(pool: ThreadedConnectionPool) -> None:
    pool.putconn(pool.getconn())


def block_with_deadline(pool: Pool) -> None:
    with pool.connection(deadline=time.monotonic() + 10):
        pass


def checkout_with_ping(pool: ThreadedConnectionPool) -> None:
    connection = pool.getconn()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    pool.putconn(connection)


def one_statement(pool: Pool) -> None:
    with pool.connection(deadline=time.monotonic() + 10) as connection:
        connection.run_clean(STATEMENT)


def one_statement_on_stock(pool: ThreadedConnectionPool, ping: bool = False) -> None:
    connection = pool.getconn()
    with connection.cursor() as cursor:
        if ping:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        cursor.execute(STATEMENT)
        cursor.fetchone()
    pool.putconn(connection)


def microseconds(contender: Callable[[], Any], times: int) -> float:
    """The mean of one call in a round."""
    began = time.perf_counter()
    for _ in range(times):
        contender()
    return (time.perf_counter() - began) / times * 1e6


Contenders = dict[str, Callable[[], Any]]


def compare(
    title: str, dsn: str, contenders: Callable[[Pool, ThreadedConnectionPool], Contenders], times: int
) -> None:
    """Run all in turns; the first is what the others are compared with."""
    rounds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        ours, stock = Pool(1, 10, dsn), ThreadedConnectionPool(1, 10, dsn)
        connection = stock.getconn()
        connection.autocommit = True
        stock.putconn(connection)
        for name, contender in contenders(ours, stock).items():
            microseconds(contender, times // 10)
            rounds.setdefault(name, []).append(microseconds(contender, times))
        ours.closeall()
        stock.closeall()
    baseline = rounds[next(iter(rounds))]
    print(f"\n{title} ({ROUNDS} rounds of {times})")
    for name, took in rounds.items():
        low, middle, high = statistics.quantiles(took, n=4)
        ratio = middle / statistics.median(baseline)
        print(f"  {name:<34} {middle:8.2f} us  (quartiles {low:.2f} to {high:.2f})  ratio {ratio:7.2f}")


def run(dsn: str) -> None:
    compare(
        "checkout and return",
        dsn,
        lambda ours, stock: {
            "psycopg2's pool": lambda: checkout(stock),
            "this pool, getconn and putconn": lambda: checkout(ours),
            "this pool, with and a deadline": lambda: block_with_deadline(ours),
            "psycopg2's pool with SELECT 1": lambda: checkout_with_ping(stock),
        },
        CHECKOUTS,
    )
    compare(
        "one statement of the service, checkout and return included",
        dsn,
        lambda ours, stock: {
            "psycopg2's pool": lambda: one_statement_on_stock(stock),
            "this pool, with a deadline": lambda: one_statement(ours),
            "psycopg2's pool with SELECT 1": lambda: one_statement_on_stock(stock, ping=True),
        },
        STATEMENTS,
    )


def main() -> None:
    if len(sys.argv) > 1:
        run(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "data", durable=False)
        cluster.start()
        try:
            run(cluster.url(SUPERUSER, "postgres"))
        finally:
            cluster.stop("immediate")


if __name__ == "__main__":
    main()
