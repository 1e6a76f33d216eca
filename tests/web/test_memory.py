"""Answering many requests leaves nothing behind in memory."""

from __future__ import annotations

import gc
import sys
from itertools import pairwise

import pytest

from tests.application import Application

PATHS = (
    "/api/dashboard/stats",
    "/api/dashboard/recent-jobs",
    "/api/jobs?page_size=20",
    "/api/customers?page_size=10&sort=-created_at",
    "/api/customers/export",
    "/api/nowhere",
    "/api/jobs?page_size=none",
)


@pytest.mark.parametrize("rounds", [15, pytest.param(500, marks=pytest.mark.slow)])
def test_requests_leave_no_objects_behind(own_app: Application, rounds: int) -> None:
    client = own_app.client()

    def ask(times: int) -> int:
        """How many blocks Python has when that is done."""
        for number in range(times):
            for path in PATHS:
                client.get(path, headers={"X-Request-Id": f"memory-{number}"})
            client.patch("/api/jobs/1", json={"priority": ("low", "high")[number % 2]})
        gc.collect()
        return sys.getallocatedblocks()

    counts = [ask(30)]  # until caches and prepared statements are there
    for _ in range(4):
        counts.append(ask(rounds))
    # Less than one object for each request in one of the rounds at least; what a request held would be tens in each.
    growth = [after - before for before, after in pairwise(counts[1:])]
    assert min(growth) < rounds * len(PATHS), growth
