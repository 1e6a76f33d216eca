"""Measures a cache clear on busy workers: the time until all have carried it out."""

from __future__ import annotations

import json
import time

from opsboard_bench.asking import kept_busy
from opsboard_bench.environment import Bench
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet
from opsboard_bench.load.connections import HttpConnection
from opsboard_bench.results import Column, Promise, Row, Table
from opsboard_bench.scenarios import STATS

P99 = 150  # ms


def measure(bench: Bench) -> list[Table]:
    with fleet(bench, "clears") as service:
        bench.report(f"clears: {bench.options.clears} clears")
        with kept_busy(service, service.request(STATS), 2 * service.workers):
            found = clears(service, bench.options.clears)
    return [table(service.workers, found)]


def clears(service: Fleet, number: int) -> list[tuple[float, bool]]:
    """Return for each clear the milliseconds until its answer, and if every worker had carried it out by then."""
    request = service.request("/api/health/cache/clear", "POST", {})
    found = []
    with HttpConnection(service.server.address) as connection:
        for _ in range(number):
            began = time.perf_counter()
            told = json.loads(connection.ask(request).body)
            took = (time.perf_counter() - began) * 1000
            found.append((took, told["acknowledged"] == told["workers"] == service.workers))
    return found


def table(workers: int, found: list[tuple[float, bool]]) -> Table:
    times = [took for took, _ in found]
    cleared = sum(by_all for _, by_all in found)
    p99 = percentile(times, 0.99)
    return Table(
        name="clears",
        title=f"Clearing the cache of {workers} busy workers",
        about="`POST /api/health/cache/clear`, from the request to the answer that lists the workers that did; "
        "meanwhile every worker answers the dashboard's poll as fast as it can.",
        columns=[
            Column("clears", "clears", ",.0f"),
            Column("cleared", "carried out by all", ",.0f"),
            Column("p50", "p50", ",.0f", "ms"),
            Column("p99", "p99", ",.0f", "ms"),
            Column("ratio", "p99 ÷ p50", ",.1f"),
            Column("max", "max", ",.0f", "ms"),
        ],
        rows=[
            Row(
                "Opsboard",
                {
                    "clears": [len(found)],
                    "cleared": [cleared],
                    "p50": [percentile(times, 0.5)],
                    "p99": [p99],
                    "ratio": [p99 / percentile(times, 0.5)],
                    "max": [max(times)],
                },
                ours=True,
            )
        ],
        promises=[
            Promise("Clear until all workers carried it out, p99", P99, [p99], at_least=False, unit="ms"),
            Promise("Clears that not all workers carried out", 0, [len(found) - cleared], at_least=False),
        ],
    )
