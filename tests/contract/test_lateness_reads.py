"""Predictions for jobs and the load read only as many rows as declared, however many there are."""

from __future__ import annotations

from typing import Any

import pytest

from opsboard.db.list_statement import Page, compose
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries
from tests.contract.samples import always
from tests.contract.test_every_query import explain
from tests.contract.test_index_use import rows_read

MEASURED = ", ANALYZE, TIMING OFF, SUMMARY OFF"
PAGE, MOST = 5, 20
# A step or three of each job of the seed, and of each that is shown.
STEPS = 3


def read(app: Application, name: str, fields: tuple[str, ...] | None = None, **sizes: int) -> dict[str, int]:
    (query,) = [query for query in all_queries() if query.name == name]
    given: dict[str, Any] = {**VALUES, "tenant_id": app.alpha.id, "most": MOST, **sizes}
    sql, asked = query.sql, {}
    if query.base:
        sql, asked = compose(
            query,
            always(query) | sizes,
            Page("due_date", False, PAGE, counted=False, fields=fields),
        )
    return rows_read(explain(app, sql, {**given, **asked}, options=MEASURED))


@pytest.mark.parametrize("kept", [1, 4])
@pytest.mark.parametrize("name", ["jobs.list_at_risk", "jobs.lateness_risk", "jobs.risk_calibration"])
def test_a_risk_reads_a_sample_of_each_day_and_no_other_jobs(
    large: Application, name: str, kept: int
) -> None:
    days, read_per_day, at_least = 100, 6, 50
    found = read(
        large, name,
        days=days, read_per_day=read_per_day, kept_per_day=kept, older=0, at_least=at_least,
    )  # fmt: skip
    sampled = days * kept + at_least
    # Of a page each job twice: to find it and to show it.
    assert found["jobs"] <= days * read_per_day + at_least + sampled + 2 * PAGE + 2
    assert found["job_steps"] <= STEPS * (sampled + PAGE)


def test_who_does_not_ask_for_the_risk_reads_nothing_for_it(large: Application) -> None:
    found = read(large, "jobs.list_at_risk", ("id", "days_left"))
    assert found["jobs"] <= 2 * PAGE + 2
    assert found["job_steps"] == 0


@pytest.mark.parametrize("kept", [1, 4])
def test_a_promise_reads_no_more_of_a_day_and_of_a_process_than_it_says(
    large: Application, kept: int
) -> None:
    days, read_per_day, older = 100, 6, 50
    found = read(
        large, "jobs.promise_date",
        days=days, read_per_day=read_per_day, kept_per_day=kept, older=older, at_least=0,
    )  # fmt: skip
    sampled = days * kept + older
    # Each sampled job twice: to choose it among those of its day, and to read it.
    assert found["jobs"] <= days * read_per_day + older + sampled
    assert found["job_steps"] <= STEPS * sampled + len(VALUES["process_ids"]) * 2 * MOST


@pytest.mark.parametrize("open_jobs", [10, 40])
def test_late_jobs_and_their_causes_read_no_more_than_the_open_jobs_due_soonest(
    large: Application, open_jobs: int
) -> None:
    days, read_per_day, kept, at_least, shown = 100, 6, 1, 50, 2
    found = read(
        large, "jobs.late_jobs", most_jobs=open_jobs, limit=shown, stuck_days=7,
        days=days, read_per_day=read_per_day, kept_per_day=kept, older=0, at_least=at_least,
    )  # fmt: skip
    sampled, items = days * kept + at_least, 3 * shown
    assert found["jobs"] <= days * read_per_day + at_least + sampled + open_jobs + items + 2
    # Of a shown job: its steps are read for the first that is open, and for the last that ended.
    steps = STEPS * (sampled + open_jobs + 2 * items)
    assert found["job_steps"] <= steps + found["processes"] * MOST


@pytest.mark.parametrize("open_jobs", [10, 40])
def test_the_load_reads_no_more_than_the_open_jobs_due_soonest(large: Application, open_jobs: int) -> None:
    found = read(large, "dashboard.load", most_jobs=open_jobs)
    assert 0 < found["jobs"] <= open_jobs
    assert 0 < found["job_steps"] <= STEPS * open_jobs


def test_a_queue_reads_no_more_steps_than_it_brings_into_order(large: Application) -> None:
    found = read(large, "dashboard.queue", assigned_user_id=2)
    # Each to find it, to show it, and the one before it.
    assert found["job_steps"] <= 3 * MOST and found["jobs"] <= MOST


@pytest.mark.parametrize("open_jobs", [10, 30])
def test_delays_read_no_more_than_the_open_jobs_due_soonest(large: Application, open_jobs: int) -> None:
    found = read(large, "jobs.delays", most_jobs=open_jobs)
    assert found["jobs"] <= open_jobs
    assert found["job_steps"] <= STEPS * open_jobs + found["processes"] * MOST
