"""The step that takes an open job longest, by queues worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def app(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as app:
        yield app


def delays(app: Shop, query: str = "") -> list[tuple[int, float | None, bool | None, str, float | None]]:
    return [
        (one["id"], one["days"], one["ends_late"], one["longest"]["process"]["name"], one["longest"]["days"])
        for one in app.get(f"/api/jobs/delays{query}")["items"]
    ]


def open_job(app: Shop, due: str | None, *processes: int) -> int:
    job = app.job(due, "2026-03-20 12:00+00", steps=(None,) * len(processes))
    for place, process in enumerate(processes, 1):
        app.write(
            "UPDATE job_steps SET process_id = %s WHERE job_id = %s AND step_order = %s RETURNING 1",
            process, job, place,
        )  # fmt: skip
    return job


def test_the_queue_that_takes_a_job_longest_is_told_in_days(app: Shop) -> None:
    saw, weld = app.process("Sawing"), app.process("Welding")
    # In four weeks half a step a day at Sawing, and one a day at Welding.
    app.add_jobs([(10, 1, [saw])] * 14 + [(10, 1, [weld])] * 28)
    second = open_job(app, "2026-04-10", saw, weld)
    first = open_job(app, "2026-04-01", saw, weld)
    undue = open_job(app, None, weld)
    late = open_job(app, "2026-03-30", weld)
    # The late one is welded first, then the one due on no day, as nothing else has come from Sawing yet.
    assert delays(app) == [(first, 3, True, "Sawing", 2), (second, 5, False, "Sawing", 4)]
    assert delays(app, f"?job_ids={undue},{late}") == [
        (late, 1, None, "Welding", 1), (undue, 2, None, "Welding", 2),
    ]  # fmt: skip
    found = app.get(f"/api/jobs/delays?job_ids={second}")["items"]
    assert (found[0]["days_left"], found[0]["longest"]["step_order"]) == (10, 1)
    # Urgent work goes first, and what is held, done or not added yet takes no turn.
    app.write("UPDATE jobs SET priority = 'urgent' WHERE id = %s RETURNING 1", second)
    assert delays(app)[1][:2] == (second, 3)
    app.write("UPDATE jobs SET status = 'on_hold' WHERE id = %s RETURNING 1", second)
    app.add_jobs([(-2, None, [saw])] * 5)
    assert delays(app) == [(first, 3, True, "Sawing", 2)]


def test_a_process_that_finished_nothing_lately_has_no_days(app: Shop) -> None:
    saw, weld = app.process("Sawing"), app.process("Welding")
    app.add_jobs([(10, 1, [saw])] * 28)
    job = open_job(app, "2026-04-10", saw, weld, saw)
    assert delays(app) == [(job, None, True, "Welding", None)]
    assert app.get("/api/jobs/delays")["items"][0]["longest"]["step_order"] == 2


def test_jobs_without_open_steps_and_those_of_others_have_no_item(app: Shop) -> None:
    saw = app.process("Sawing")
    own = open_job(app, "2026-04-10", saw)
    empty = open_job(app, "2026-04-10")
    other = app.write("INSERT INTO tenants (slug, name) VALUES ('other', 'Other') RETURNING id")
    app.write("UPDATE tenants SET as_of = '2026-03-31' WHERE id = %s RETURNING 1", other)
    foreign = app.write(
        "INSERT INTO jobs (tenant_id, job_number, title, created_at) VALUES (%s, 'X', 'x', '2026-03-01') RETURNING id",
        other,
    )
    assert [one[0] for one in delays(app, f"?job_ids={own},{empty},{foreign}")] == [own]
    app.get("/api/jobs/delays?job_ids=0", 400)
    app.get("/api/jobs/delays?job_ids=" + ",".join(["1"] * 101), 400)
