"""What kept counts spare readers: the dashboard's statements and list totals at several sizes, beside counting anew.

    python benchmarks/rollup_reads.py [--sizes 10000,100000,1000000] [--rounds 7]

Starts a throwaway Postgres in TMPDIR with demo data of each size. Sizes take turns within one run; printed are
medians and their ratio to the smallest size.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg2
from rollups import APPLICATION, make, server

from opsboard.db import tenancy
from opsboard.db.embedded import Cluster
from opsboard.db.listing import Page, compose
from opsboard.db.queries import Query, load_queries

CALLS = 30


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sizes", default="10000,100000,1000000")
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    with server() as cluster:
        reads(cluster, [int(size) for size in given.sizes.split(",")], given.rounds)


def reads(cluster: Cluster, sizes: list[int], rounds: int) -> None:
    """Median time of each statement at each size, as the service sends it, and against the smallest size."""
    names = {size: f"jobs_{size}" for size in sizes}
    for size, name in names.items():
        make(cluster, name, size)
    print("\n" + f"{'median of a read':54}" + "".join(f"{size:>20,}" for size in sizes))
    for label, sql, params in asked():
        times: dict[int, list[float]] = {size: [] for size in sizes}
        connections = {size: psycopg2.connect(cluster.url(APPLICATION, names[size])) for size in sizes}
        for connection in connections.values():
            connection.autocommit = True
            timed(connection, sql, params, 3)
        for _ in range(rounds):
            for size in random.sample(sizes, len(sizes)):
                times[size].append(
                    timed(connections[size], sql, params, 3 if "counted anew" in label else CALLS)
                )
        for connection in connections.values():
            connection.close()
        base = statistics.median(times[sizes[0]])
        cells = [(statistics.median(times[size]), statistics.median(times[size]) / base) for size in sizes]
        print(f"{label:54}" + "".join(f"{ms:>11.2f} ms x{ratio:>5.2f}" for ms, ratio in cells), flush=True)


def asked() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The statements: the dashboard's, and lists with the totals they keep, beside the same lists counting."""
    dashboard = load_queries("opsboard.features.dashboard")
    for query, params in (
        (dashboard.stats, {}),
        (dashboard.jobs_by_status, {}),
        (dashboard.jobs_by_month, {"months": 12}),
    ):
        yield query.name, tenancy.bound(query.name, query.sql), params
    jobs = load_queries("opsboard.features.jobs").list_jobs
    steps = load_queries("opsboard.features.job_steps").list_job_steps
    month = {
        "created_from": date.today() - timedelta(days=200),
        "created_to": date.today() - timedelta(days=20),
    }
    lists: list[tuple[Query, dict[str, Any]]] = [
        (jobs, {}), (jobs, {"status": ["completed"]}), (jobs, month), (steps, {}), (steps, {"status": ["completed"]}),
    ]  # fmt: skip
    for query, filters in lists:
        for kept in (query, replace(query, totals={})):
            sql, params = compose(kept, filters, Page("created_at", True, 50))
            how = "" if kept is query else ", counted anew"
            yield f"{query.name} {','.join(filters)}{how}", tenancy.bound(query.name, sql), params


def timed(connection: Any, sql: str, params: dict[str, Any], calls: int) -> float:
    """Milliseconds a call."""
    values = {**params, "tenant_id": 1, "user_id": 1, "role": "admin", "statement_timeout": "60s"}
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            cursor.fetchall()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
