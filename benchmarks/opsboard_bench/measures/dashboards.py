"""Many dashboards that poll, while somebody writes: what they wait, and what they cost the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opsboard.db.session import connected
from opsboard.demo.catalogue import BUSINESSES
from opsboard_bench.environment import Bench
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet
from opsboard_bench.load.polls import Polls, Seen
from opsboard_bench.results import Column, Plot, Promise, Row, Series, Table
from opsboard_bench.rounds import run_apart
from opsboard_bench.scenarios import STATS
from opsboard_bench.session import request_token

PAUSE = 0.1  # seconds between two writes
PEOPLE = ("admin", "manager", "operator")  # of either business, in turn
COLUMNS = [
    Column("rate", "answers/s", ",.1f"),
    Column("p50", "p50", ",.2f", "ms"),
    Column("p99", "p99", ",.2f", "ms"),
    Column("not_modified", "304", ".0%"),
    Column("hits", "from the cache", ".0%"),
    Column("statements", "statements/s", ",.1f"),
    Column("ratio", "statements ÷ answers", ",.2f"),
    Column("errors", "errors", ",.0f"),
]
UPDATE = """
UPDATE jobs SET status = CASE status WHEN 'active' THEN 'on_hold' ELSE 'active' END
WHERE ctid = (SELECT j.ctid FROM jobs AS j WHERE j.status IN ('active', 'on_hold') ORDER BY j.tenant_id, j.id LIMIT 1
OFFSET %(place)s)
"""
COMMITS = """
SELECT sum(d.xact_commit)::bigint FROM pg_stat_database AS d WHERE d.datname = current_database()
"""


def measure(bench: Bench) -> list[Table]:
    options = bench.options
    with fleet(bench, "dashboards") as service:
        idle = commits_a_second(service, min(5.0, options.watched))
        bench.report(f"dashboards: {options.dashboards} for {options.watched + options.every:g} s")
        before, began = commits(service), time.monotonic()
        with writing(service, PAUSE) as written:
            seen = poll(bench, service, (STATS,), options.dashboards)
        time.sleep(1)  # until the sessions have told their numbers
        beside = (commits(service) - before) / (time.monotonic() - began)
        writes = len(written) / (time.monotonic() - began)
    return [table(bench, seen, idle, beside, writes)]


def poll(bench: Bench, service: Fleet, paths: tuple[str, ...], dashboards: int) -> Seen:
    """All dashboards in one process of their own; each asks for every path, on a connection for each."""
    options = bench.options
    tokens = [
        request_token(service.server.address, business.email(person))
        for business in BUSINESSES
        for person in PEOPLE
    ]
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {tokens[number % len(tokens)]}\r\n\r\n"
        for number in range(dashboards)
        for path in paths
    ]
    polls = Polls(service.server.address, requests, options.every, options.watched)
    return Seen(**run_apart("load.polls", polls, "The dashboards failed"))


@contextmanager
def writing(service: Fleet, pause: float) -> Iterator[list[float]]:
    """Somebody who changes one job after the other; when each was changed."""
    over, written = threading.Event(), list[float]()

    def write() -> None:
        with connected(service.environment.superuser_url, "bench") as connection:
            cursor = connection.cursor()
            while not over.wait(pause):
                cursor.execute(UPDATE, {"place": len(written) % 40})
                written.append(time.monotonic())

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()


def commits_a_second(service: Fleet, seconds: float) -> float:
    before = commits(service)
    time.sleep(seconds)
    return (commits(service) - before) / seconds


def commits(service: Fleet) -> int:
    with connected(service.environment.superuser_url, "bench") as connection:
        cursor = connection.cursor()
        cursor.execute(COMMITS)
        row: Any = cursor.fetchone()
        return int(row[0])


def figures(seen: Seen, watched: float) -> dict[str, list[float]]:
    """The values of a row, by the keys of COLUMNS."""
    times = [latency / 1e6 for latency in seen.latencies]
    answers = len(times)
    not_modified = sum(number for state, number in seen.states.items() if state.startswith("304"))
    hits = sum(number for state, number in seen.states.items() if state.endswith(" HIT"))
    return {
        "rate": [answers / watched],
        "p50": [percentile(times, 0.5)],
        "p99": [percentile(times, 0.99)],
        "not_modified": [not_modified / answers],
        "hits": [hits / answers],
        "statements": [seen.statements / watched],
        "ratio": [seen.statements / answers],
        "errors": [seen.errors],
    }


def table(bench: Bench, seen: Seen, idle: float, beside: float, writes: float) -> Table:
    options = bench.options
    values = figures(seen, options.watched)
    # A poll that changed nothing costs nothing; that is what the ratio is to.
    counting = values["rate"][0]
    return Table(
        name="dashboards",
        title=f"{options.dashboards:,} dashboards, polling every {options.every:g} s, and a writer",
        about=f"Each dashboard has a keep-alive connection to one of {options.fleet} workers and names the answer it "
        f"has (`If-None-Match`); six people of two businesses are signed in. Meanwhile {writes:.1f} jobs a second "
        f"change their status. Watched for {options.watched:g} s after each has polled once; latency counts from the "
        "moment a poll was due.",
        columns=COLUMNS,
        rows=[Row("Opsboard", values, ours=True)],
        notes=[
            f"A recount for each poll would be {counting:,.1f} statements/s. In all the database committed "
            f"{beside:,.1f} transactions/s: these, the writer's, and those of the workers, which hear changes, fold "
            f"counts and tell how they are ({idle:,.1f}/s without any dashboard).",
            *(f"Errors: {'; '.join(seen.faults)}." for _ in seen.faults[:1]),
        ],
        promises=[Promise("Errors of the dashboards' polls", 0, [seen.errors], at_least=False)],
        plots=[plot([latency / 1e6 for latency in seen.latencies])],
    )  # fmt: skip


def plot(times: list[float]) -> Plot:
    shares = [step / 200 for step in range(1, 200)]
    line = Series(
        "Opsboard", [percentile(times, share) for share in shares], [share * 100 for share in shares], ours=True
    )  # fmt: skip
    return Plot(
        "dashboards", "lines", "How long a dashboard's poll takes", "milliseconds since it was due", "% of polls",
        [line],
    )  # fmt: skip
