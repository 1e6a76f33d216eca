"""Measures uncached answers at several sizes of a business, beside other ways to compute the same numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median

from opsboard.db.addresses import APPLICATION
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.session import connected
from opsboard_bench import recounts
from opsboard_bench.businesses import make_business
from opsboard_bench.environment import Bench, server
from opsboard_bench.load.jobs import Job
from opsboard_bench.measures.hits import service_settings
from opsboard_bench.reads import Reads, Times, reads
from opsboard_bench.results import Table
from opsboard_bench.rounds import load
from opsboard_bench.scenarios import UNCACHED
from opsboard_bench.servers import Grounds, Server, await_answer, started
from opsboard_bench.session import request_token
from opsboard_bench.sizes_table import misses_table, statements_table

# As few dashboards' days as an answer may have: months that began when the shop did.
PATHS = {
    "`/api/dashboard/stats`": "/api/dashboard/stats",
    "`/api/dashboard/chart/jobs-by-month`": "/api/dashboard/chart/jobs-by-month",
    "`/api/dashboard/chart/jobs-by-status`": "/api/dashboard/chart/jobs-by-status",
    "`/api/jobs`, a page with its total": "/api/jobs?page_size=50",
    "`/api/jobs?status=completed`, a page with its total": "/api/jobs?status=completed&page_size=50",
}
WARM_UP = 5


def measure(bench: Bench) -> list[Table]:
    sizes = bench.options.sizes
    with server(bench, "sizes", {"max_wal_size": "32GB", "shared_buffers": "3GB"}) as cluster:
        for size in sizes:
            began = time.monotonic()
            make_business(cluster, name_of(size), size, bench.report)
            bench.report(f"sizes: {size:,} jobs made in {time.monotonic() - began:.0f} s")
        misses = over_http(bench, cluster)
        statements = in_postgres(bench, cluster)
    return [misses_table(sizes, misses), statements_table(sizes, statements)]


def name_of(size: int) -> str:
    return f"jobs_{size}"


def over_http(bench: Bench, cluster: Cluster) -> Times:
    """Milliseconds of each path at each size, a median a round: the service with its cache off, one connection."""
    options = bench.options
    found: Times = {label: {size: [] for size in options.sizes} for label in PATHS}
    with ExitStack() as stack:
        services = {
            size: stack.enter_context(
                service(bench, cluster.url(APPLICATION, name_of(size)), f"service-{size}")
            )
            for size in options.sizes
        }
        tokens = {size: request_token(one.address) for size, one in services.items()}
        for number in range(1, options.rounds + 1):
            bench.report(f"sizes, answers: round {number} of {options.rounds}")
            for label, path in PATHS.items():
                for size in options.sizes:
                    job = job_of(services[size], tokens[size], path, min(0.4, options.seconds))
                    found[label][size].append(median(load(job).latencies) / 1e6)
    return found


@contextmanager
def service(bench: Bench, url: str, name: str) -> Iterator[Server]:
    """One worker on this database with its cache off, in a folder of this name."""
    folder = bench.folder / name
    folder.mkdir()
    grounds = Grounds(folder, service_settings(bench, url), 1, [])
    with started(grounds, UNCACHED) as one:
        await_answer(grounds, UNCACHED, one)
        yield one


def job_of(one: Server, token: str, path: str, seconds: float) -> Job:
    return Job(
        address=one.address,
        request=f"GET {path} HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {token}\r\n\r\n",
        status=200,
        expected=["X-Queries: 1"],
        connections=1,
        seconds=seconds,
        warm_up=WARM_UP,
        cores=[],
    )


def in_postgres(bench: Bench, cluster: Cluster) -> Times:
    """Milliseconds of each way to count at each size; a slow one has fewer rounds."""
    options = bench.options
    with ExitStack() as stack:
        ways: dict[int, dict[str, Callable[[], float]]] = {}
        for size in options.sizes:
            owner = stack.enter_context(connected(cluster.url(SUPERUSER, name_of(size)), "bench"))
            owner.cursor().execute(recounts.MAKE_VIEW)
            app = stack.enter_context(connected(cluster.url(APPLICATION, name_of(size)), "bench"))
            ways[size] = {label: partial(timed, how, app.cursor()) for label, how in reads().items()}
            ways[size]["Materialized view, refresh"] = partial(
                timed, Reads((recounts.REFRESH_VIEW,), bound=False), owner.cursor()
            )
        return turns(bench, ways)


def turns(bench: Bench, ways: dict[int, dict[str, Callable[[], float]]]) -> Times:
    sizes, labels = list(ways), list(next(iter(ways.values())))
    found: Times = {label: {size: [] for size in sizes} for label in labels}
    used = {(label, size): 0.0 for label in labels for size in sizes}
    for number in range(1, bench.options.rounds + 1):
        bench.report(f"sizes, statements: round {number} of {bench.options.rounds}")
        for label in labels:
            for size in sizes:
                if number == 1 or used[label, size] < bench.options.patience:
                    began = time.monotonic()
                    found[label][size].append(ways[size][label]())
                    used[label, size] += time.monotonic() - began
    return found


def timed(how: Reads, cursor: object) -> float:
    return how.timed(cursor)
