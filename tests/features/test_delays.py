"""The step that takes an open job longest, by queues worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def shop(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as shop:
        yield shop


def delays(shop: Shop, query: str = "") -> list[tuple[int, float | None, bool | None, str, float | None]]:
    return [
        (one["id"], one["days"], one["ends_late"], one["longest"]["process"]["name"], one["longest"]["days"])
        for one in shop.get(f"/api/jobs/delays{query}")["items"]
    ]


def open_job(shop: Shop, due: str | None, *processes: int) -> int:
    job = shop.job(due, "2026-03-20 12:00+00", steps=(None,) * len(processes))
    for place, process in enumerate(processes, 1):
        shop.write(
            "UPDATE job_steps SET process_id = %s WHERE job_id = %s AND step_order = %s RETURNING 1",
            process, job, place,
        )  # fmt: skip
    return job


def test_the_queue_that_takes_a_job_longest_is_told_in_days(shop: Shop) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    # In four weeks half a step a day at Sawing, and one a day at Welding.
    shop.add_jobs([(10, 1, [saw])] * 14 + [(10, 1, [weld])] * 28)
    second = open_job(shop, "2026-04-10", saw, weld)
    first = open_job(shop, "2026-04-01", saw, weld)
    undue = open_job(shop, None, weld)
    late = open_job(shop, "2026-03-30", weld)
    # The late one is welded first, then the one due on no day, as nothing else has come from Sawing yet.
    assert delays(shop) == [(first, 3, True, "Sawing", 2), (second, 5, False, "Sawing", 4)]
    assert delays(shop, f"?job_ids={undue},{late}") == [
        (late, 1, None, "Welding", 1), (undue, 2, None, "Welding", 2),
    ]  # fmt: skip
    found = shop.get(f"/api/jobs/delays?job_ids={second}")["items"]
    assert (found[0]["days_left"], found[0]["longest"]["step_order"]) == (10, 1)
    # Urgent work goes first, and what is held, done or not added yet takes no turn.
    shop.write("UPDATE jobs SET priority = 'urgent' WHERE id = %s RETURNING 1", second)
    assert delays(shop)[1][:2] == (second, 3)
    shop.write("UPDATE jobs SET status = 'on_hold' WHERE id = %s RETURNING 1", second)
    shop.add_jobs([(-2, None, [saw])] * 5)
    assert delays(shop) == [(first, 3, True, "Sawing", 2)]


def test_a_process_that_finished_nothing_lately_has_no_days(shop: Shop) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    shop.add_jobs([(10, 1, [saw])] * 28)
    job = open_job(shop, "2026-04-10", saw, weld, saw)
    assert delays(shop) == [(job, None, True, "Welding", None)]
    assert shop.get("/api/jobs/delays")["items"][0]["longest"]["step_order"] == 2


def test_jobs_without_open_steps_and_those_of_others_have_no_item(shop: Shop) -> None:
    saw = shop.process("Sawing")
    own = open_job(shop, "2026-04-10", saw)
    empty = open_job(shop, "2026-04-10")
    other = shop.write("INSERT INTO tenants (slug, name) VALUES ('other', 'Other') RETURNING id")
    shop.write("UPDATE tenants SET as_of = '2026-03-31' WHERE id = %s RETURNING 1", other)
    foreign = shop.write(
        "INSERT INTO jobs (tenant_id, job_number, title, created_at) VALUES (%s, 'X', 'x', '2026-03-01') RETURNING id",
        other,
    )
    assert [one[0] for one in delays(shop, f"?job_ids={own},{empty},{foreign}")] == [own]
    shop.get("/api/jobs/delays?job_ids=0", 400)
    shop.get("/api/jobs/delays?job_ids=" + ",".join(["1"] * 101), 400)
