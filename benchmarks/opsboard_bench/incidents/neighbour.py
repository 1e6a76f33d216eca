"""A business that asks all the time: what the other one waits."""

from __future__ import annotations

from dataclasses import replace

from opsboard.demo.catalogue import BUSINESSES
from opsboard_bench.asking import kept_busy
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import fleet_on
from opsboard_bench.incidents.finding import LIST, UNCACHED, Finding
from opsboard_bench.one_url import ask_all
from opsboard_bench.session import request_token

LOUD, QUIET = 16, 2


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    seconds = bench.options.watched / 3
    with fleet_on(bench, "incidents", environment, **UNCACHED) as service:
        address = service.server.address
        other = replace(service, token=request_token(address, BUSINESSES[1].email("admin")))
        bench.report("incidents: a loud neighbour")

        def waits() -> float:
            return percentile(ask_all(address, other.request(LIST), QUIET, seconds).latencies, 0.99)

        alone = waits()
        with kept_busy(service, service.request(LIST), LOUD):
            beside = waits()
        # The same load without anybody to be fair to: what the processors alone make of it.
        with kept_busy(other, other.request(LIST), LOUD):
            among_its_own = waits()
    bench.report(
        f"incidents: p99 alone {alone:.1f} ms, beside {beside:.1f}, among its own {among_its_own:.1f}"
    )
    return [
        Finding(
            f"p99 of a list beside {LOUD} clients of another business, as times that beside its own",
            2, beside / among_its_own,
        )
    ]  # fmt: skip
