"""Over several workers, some of them killed, the counters add up to what the clients counted."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.waiting import eventually

PATHS = (
    "/api/dashboard/stats",
    "/api/jobs?page_size=5",
    "/api/customers/1",
    "/api/jobs/999999999",
)
# Others are asked by the test itself, to find out about the workers.
ENDPOINTS = {"dashboard.stats", "jobs.list_jobs", "customers.get_customer", "jobs.get_job"}
CLIENTS = 8
# By the start of the worker: one that replaces another counts from 0, and what the other had counted is over.
Counts = dict[tuple[str, float], Counter[str]]


def counted(server: Gunicorn) -> Counts:
    """The answers of each worker by class of status, to the requests of the clients.

    A start is known to a millionth of a second, give or take.
    """
    families = {
        family.name: family.samples
        for family in text_string_to_metric_families(server.client().get("/metrics").body.decode())
    }
    started = {
        sample.labels["worker"]: round(sample.value, 2) for sample in families["process_start_time_seconds"]
    }
    found: Counts = {(worker, at): Counter() for worker, at in started.items()}
    for sample in families["http_request_duration_seconds"]:
        labels = sample.labels
        if sample.name.endswith("_count") and labels["endpoint"] in ENDPOINTS:
            found[labels["worker"], started[labels["worker"]]][labels["status"]] += int(sample.value)
    return found


def total(last: Counts, server: Gunicorn) -> Counter[str]:
    """The sum over all workers there have been; `last` has what each reported last."""
    last.update(counted(server))
    return sum(last.values(), Counter())


def ask(server: Gunicorn, token: str, requests: int) -> Counter[str]:
    """Send so many requests by as many clients as there are threads, and count the answers by class of status."""

    def one(number: int) -> Counter[str]:
        client, tally = server.client(token), Counter[str]()
        for turn in range(number, requests, CLIENTS):
            tally[f"{client.get(PATHS[turn % len(PATHS)]).status // 100}xx"] += 1
        return tally

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(one, range(CLIENTS)), Counter())


@pytest.mark.parametrize(
    ("requests", "workers", "kills"),
    [(400, 2, 1), pytest.param(100_000, 4, 10, marks=pytest.mark.slow)],
)
def test_counters_of_all_workers_equal_the_tally_of_the_clients(
    data: FreshDatabase, people: list[Person], requests: int, workers: int, kills: int
) -> None:
    with running_gunicorn(
        "tests.deploy.probe_app:app()", DATABASE_URL=data.app_url, WEB_CONCURRENCY=str(workers)
    ) as server:
        eventually("all workers report", lambda: len(counted(server)) == workers)
        tally, last = Counter[str](), dict[tuple[str, float], Counter[str]]()
        for round_ in range(kills + 1):
            tally += ask(server, people[0].token, requests // (kills + 1))

            eventually(f"round {round_}: {tally}", lambda: total(last, server) == tally)  # noqa: B023
            if round_ < kills:
                before = counted(server).keys()
                os.kill(min(server.workers()), signal.SIGKILL)
                # A worker reports twice a second, so that only a kill within that time can lose a count.
                eventually(
                    "another takes its place",
                    lambda before=before: len(now := counted(server).keys()) == workers and now != before,
                )
    assert sum(tally.values()) == requests // (kills + 1) * (kills + 1)
    assert len(last) > workers
