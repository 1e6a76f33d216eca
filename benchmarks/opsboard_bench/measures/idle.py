"""A fleet that nobody asks: transactions, and processor time of its workers and of Postgres."""

from __future__ import annotations

import time

from opsboard.fleet.change_feed import REST_AFTER
from opsboard_bench.environment import Bench, with_demo_data
from opsboard_bench.fleet import Fleet, fleet_on
from opsboard_bench.measures.dashboards import commits
from opsboard_bench.processors import tree_seconds
from opsboard_bench.results import Column, Promise, Row, Table

MOST_TRANSACTIONS, MOST_OF_A_CORE = 15.0, 1.0
# From the last request until the workers rest.
SETTLED = REST_AFTER + 3.0

Use = tuple[float, float, float]


def measure(bench: Bench) -> list[Table]:
    with with_demo_data(bench, "idle") as environment, fleet_on(bench, "idle", environment) as service:
        bench.report("idle: waiting until the workers rest")
        time.sleep(SETTLED)
        rounds = [use(service, bench.options.watched) for _ in range(2 if bench.options.watched > 5 else 1)]
    return [table(bench, rounds)]


def use(service: Fleet, seconds: float) -> Use:
    """Transactions a second, and the shares of one core that the service and Postgres took, in percent."""
    cluster = service.environment.cluster
    assert cluster.pid is not None
    trees = (service.server.process.pid, cluster.pid)
    before, began = [tree_seconds(pid) for pid in trees], time.monotonic()
    transactions = commits(service)
    time.sleep(seconds)
    # One transaction of each look is ours.
    transactions = commits(service) - transactions - 1
    passed = time.monotonic() - began
    ours, postgres = (tree_seconds(pid) - old for pid, old in zip(trees, before, strict=True))
    return transactions / passed, 100 * ours / passed, 100 * postgres / passed


def table(bench: Bench, rounds: list[Use]) -> Table:
    transactions, ours, postgres = (list(values) for values in zip(*rounds, strict=True))
    together = [one + other for one, other in zip(ours, postgres, strict=True)]
    workers = bench.options.fleet
    return Table(
        name="idle",
        title=f"{workers} workers that nobody asks",
        about="From the moment they rest, 10 s after the last request. They hear changes, report how they are, fold "
        "counts and watch the alerts. Processor time is as fine as the system tells, 10 ms.",
        columns=[
            Column("transactions", "transactions/s", ",.1f"),
            Column("ours", "workers, of a core", ",.2f", "%"),
            Column("postgres", "Postgres, of a core", ",.2f", "%"),
        ],
        rows=[
            Row("Opsboard", {"transactions": transactions, "ours": ours, "postgres": postgres}, ours=True),
        ],
        promises=[
            Promise(
                "Transactions a second of an idle fleet", MOST_TRANSACTIONS, transactions, at_least=False
            ),
            Promise(
                "Processor time of an idle fleet and Postgres together, of one core",
                MOST_OF_A_CORE,
                together,
                at_least=False,
                unit="%",
            ),
        ],
    )
