"""A date to promise: through the longest queue, by what past jobs needed, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsboard.features.jobs import lateness_routes
from opsboard.features.jobs.lateness_routes import FEWEST
from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def shop(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as shop:
        yield shop


def finished(
    shop: Shop, days: float, steps: int = 1, process: int | None = None, ended: str = "2026-03-20"
) -> None:
    """A job that took so many days from beginning to end."""
    (begun,) = (
        shop.write("SELECT (%s::timestamptz - %s * interval '1 day')::text", f"{ended} 12:00+00", days),
    )
    shop.job(None, begun, f"{ended} 12:00+00", (f"{ended} 12:00+00",) * steps, process=process)


def test_the_date_and_its_parts_are_those_worked_out_by_hand(shop: Shop) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    # 14 steps in the 28 days before today are half a step a day; so is 7 a quarter.
    for process, steps in ((saw, 14), (weld, 7)):
        for _ in range(steps):
            finished(shop, 10, process=process)
    # Jobs finished today, or before those days, are excluded.
    finished(shop, 10, process=saw, ended="2026-03-31")
    finished(shop, 10, process=saw, ended="2026-03-02")
    for days in (20, 30, 40):
        finished(shop, days)
    for process, waiting in ((saw, 6), (weld, 5)):
        shop.job("2026-05-01", "2026-03-01 12:00+00", steps=(None,) * waiting, process=process)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw},{weld}&confidence=0.9")
    assert [(one["name"], one["steps_ahead"], one["per_day"], one["days"]) for one in found["processes"]] == [
        ("Sawing", 6, 0.5, 12),
        ("Welding", 5, 0.25, 20),
    ]
    # 23 jobs took 10 days, then 20, 30 and 40: nine tenths of the way through the 26 is half a day past the 24th.
    assert found["lead_times"] == {"steps": None, "cases": 26, "median_days": 10, "likely_days": 15}
    assert (found["queue_days"], found["factor"]) == (20, 1.5)
    assert (found["days"], found["promise_date"], found["today"]) == (30, "2026-04-30", "2026-03-31")
    assert found["kept"] == {"cases": 0, "share": None}
    assert found["reason"] is None


def test_it_is_never_sooner_than_jobs_like_it_took(shop: Shop) -> None:
    saw = shop.process("Sawing")
    for _ in range(28):
        finished(shop, 30, process=saw)
    shop.job(None, "2026-03-01 12:00+00", steps=(None,), process=saw)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    assert (found["queue_days"], found["days"], found["promise_date"]) == (1, 30, "2026-04-30")


def test_jobs_with_as_many_steps_count_alone_where_there_are_enough(shop: Shop) -> None:
    a, b = shop.process("A"), shop.process("B")
    for _ in range(FEWEST):
        finished(shop, 3, steps=1)
        finished(shop, 9, steps=2)
    one = shop.get(f"/api/jobs/promise-date?process_ids={a}")
    two = shop.get(f"/api/jobs/promise-date?process_ids={a},{b}")
    three = shop.get(f"/api/jobs/promise-date?process_ids={a},{b},{a}")
    assert (one["lead_times"]["steps"], one["days"]) == (1, 3)
    assert (two["lead_times"]["steps"], two["days"]) == (2, 9)
    assert (three["lead_times"]["steps"], three["lead_times"]["cases"]) == (None, 2 * FEWEST)
    assert [process["name"] for process in three["processes"]] == ["A", "B"]


def test_a_higher_confidence_promises_no_sooner(shop: Shop) -> None:
    for days in range(1, 101):
        finished(shop, days)
    days = [shop.get(f"/api/jobs/promise-date?confidence={c}")["days"] for c in (0.5, 0.8, 0.95)]
    assert days == [51, 81, 96]


def test_how_many_of_the_newest_would_have_kept_it_is_told(shop: Shop) -> None:
    for _ in range(30):
        finished(shop, 10, ended="2026-03-01")
    for days in [5, *[20] * 9]:
        finished(shop, days, ended="2026-03-20")
    assert shop.get("/api/jobs/promise-date")["kept"] == {"cases": 10, "share": 0.1}


def test_where_nothing_can_be_promised_the_reason_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    saw = shop.process("Sawing")
    nothing = shop.get("/api/jobs/promise-date")
    assert (nothing["promise_date"], nothing["days"], nothing["reason"]) == (None, None, "no_history")
    finished(shop, 10)
    assert shop.get("/api/jobs/promise-date")["promise_date"] == "2026-04-10"
    # Nothing waits, so that it does not matter that nothing was done.
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}")["promise_date"] == "2026-04-10"
    shop.job(None, "2026-03-01 12:00+00", steps=(None,) * 3, process=saw)
    idle = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    assert (idle["promise_date"], idle["reason"]) == (None, "idle_process")
    assert idle["processes"][0]["days"] is None
    finished(shop, 10, process=saw)
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}")["reason"] is None
    monkeypatch.setattr(lateness_routes, "MOST_STEPS", 3)
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}")["reason"] == "too_much_work"


def test_a_process_faster_than_is_read_is_measured_on_its_newest_steps(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    saw = shop.process("Sawing")
    for _ in range(4):
        finished(shop, 1, process=saw, ended="2026-03-10")
    for _ in range(4):
        finished(shop, 1, process=saw, ended="2026-03-29")
    monkeypatch.setattr(lateness_routes, "MOST_STEPS", 4)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}")["processes"][0]
    # From noon of the 29th until today begins it is a day and a half.
    assert found["per_day"] == round(4 / 1.5, 2)


def test_a_promise_beyond_ten_years_is_none(shop: Shop) -> None:
    saw = shop.process("Sawing")
    finished(shop, 1, process=saw)
    shop.job(None, "2026-03-01 12:00+00", steps=(None,) * 131, process=saw)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    assert (found["queue_days"], found["promise_date"], found["reason"]) == (3668, None, "too_much_work")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("confidence=0.4", 400), ("confidence=1", 400), ("confidence=nan", 400), ("process_ids=0", 400),
        ("process_ids=x", 400), ("process_ids=", 400), ("process_ids=" + ",".join(["1"] * 51), 400),
        (f"process_ids={2**40}", 404),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(shop: Shop, query: str, status: int) -> None:
    shop.get(f"/api/jobs/promise-date?{query}", status)


def test_a_process_of_another_business_is_not_found(shop: Shop) -> None:
    finished(shop, 1)
    other = shop.write("INSERT INTO tenants (slug, name) VALUES ('other', 'Other') RETURNING id")
    foreign = shop.write("INSERT INTO processes (tenant_id, name) VALUES (%s, 'Theirs') RETURNING id", other)
    own = shop.process("Ours")
    assert shop.get(f"/api/jobs/promise-date?process_ids={own}")["promise_date"]
    shop.get(f"/api/jobs/promise-date?process_ids={own},{foreign}", 404)
