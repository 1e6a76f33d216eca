"""The statements that are sent most, planned anew each time and prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opsboard.db import tenancy
from opsboard.db.session import connected
from opsboard_bench.environment import Bench, with_demo_data
from opsboard_bench.reads import IDENTITY, Reads, often_asked
from opsboard_bench.results import Column, Promise, Row, Table

FASTER = 2.5
A_JOB = "SELECT min(j.id) FROM jobs AS j WHERE j.tenant_id = %(tenant_id)s"


def measure(bench: Bench) -> list[Table]:
    with with_demo_data(bench, "planning") as ground, connected(ground.url, "bench") as connection:
        tidy(ground.superuser_url)
        cursor = connection.cursor()
        statements = often_asked(first_job(cursor))
        rows = {name: ([], []) for name in statements}  # type: dict[str, tuple[list[float], list[float]]]
        for number in range(1, bench.options.rounds + 1):
            bench.report(f"planning: round {number} of {bench.options.rounds}")
            for name, reads in statements.items():
                anew, prepared = both(cursor, reads)
                rows[name][0].append(anew)
                rows[name][1].append(prepared)
    return [table(bench, rows)]


def tidy(url: str) -> None:
    """What the workers do in the background: fold the counts of the load; and what autovacuum does."""
    with connected(url, "bench") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT fold_rollups(1000000)")
        cursor.execute("VACUUM ANALYZE")


def first_job(cursor: Any) -> int:
    cursor.execute(tenancy.bound("bench", A_JOB), IDENTITY)
    found: int = cursor.fetchone()[0]
    return found


def both(cursor: Any, reads: Reads) -> tuple[float, float]:
    """Milliseconds of the statement planned anew, and of the prepared one right after it."""
    return reads.timed(cursor), replace(reads, prepared=True).timed(cursor)


def table(bench: Bench, rows: dict[str, tuple[list[float], list[float]]]) -> Table:
    faster = {
        name: [anew / prepared for anew, prepared in zip(*times, strict=True)] for name, times in rows.items()
    }
    return Table(
        name="planning",
        title="Statements planned anew, and prepared",
        about=f"The statements that are sent most, on the demo's {bench.options.jobs:,} jobs, as the service sends "
        "them and under the same row security: planned with each call, and planned once on the connection and then "
        "executed by name, as the service does from the second use on. Times are medians of a round's calls.",
        columns=[
            Column("anew", "planned anew", ",.2f", "ms"),
            Column("prepared", "prepared", ",.2f", "ms"),
            Column("faster", "times faster", ",.1f", spread=True, strong=True),
        ],
        rows=[
            Row(f"`{name}`", {"anew": anew, "prepared": prepared, "faster": faster[name]}, ours=True)
            for name, (anew, prepared) in rows.items()
        ],
        promises=[
            Promise(f"Times faster when prepared, `{name}`", FASTER, ratios, doubt="the machine was busy")
            for name, ratios in faster.items()
        ],
    )
