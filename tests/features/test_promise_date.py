"""A date to promise: from jobs like the new one, as often kept as it says, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsboard.features.jobs import lateness_routes
from opsboard.features.jobs.promise import FEWEST
from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def shop(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as shop:
        yield shop


def steady(
    shop: Shop, took: tuple[float, ...], processes: list[int] | None = None, days: int = 150, every: int = 1
) -> None:
    """A job begun on each of so many days; those that did not end yet are open."""
    lasting = [(back, took[back % len(took)]) for back in range(0, days, every)]
    shop.add_jobs([(back, days if days < back else None, processes or []) for back, days in lasting])


def test_the_date_and_its_parts_are_those_worked_out_by_hand(shop: Shop) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    # One in ten takes 20 days, the others 10.
    steady(shop, (20, *[10] * 9), [saw])
    shop.job("2026-05-01", "2026-03-01 12:00+00", steps=(None,) * 5, process=weld)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}&confidence=0.8")
    # Open: those begun in the last ten days, and the one of 20 days that began ten days before today.
    assert found["kind"] == {"by": "routing", "finished": 138, "open": 12}
    assert found["lead_times"] == {"steps": 1, "cases": 138, "median_days": 10, "likely_days": 10}
    assert (found["days"], found["promise_date"], found["today"]) == (10, "2026-04-10", "2026-03-31")
    assert (found["reason"], found["method"]) == (None, "plain")
    assert found["plain"] == {"days": 10, "kept": found["kept"]}
    assert found["interval"] == {"from_days": 10, "to_days": 10, "from": "2026-04-10", "to": "2026-04-10"}
    # A tenth of the promises was broken, and none would have been kept a day sooner.
    assert found["kept"]["share"] == pytest.approx(0.9, abs=0.02)
    assert (found["kept"]["share_a_day_sooner"], found["kept"]["mean_days"]) == (0, 10)
    assert found["kept"]["cases"] > 100
    # 26 ends in the 28 days before today: one a day but for the longer ones, two of which end in their place.
    queue = found["processes"][0]
    assert (queue["steps_ahead"], found["queue_days"]) == (12, queue["days"])
    assert queue["days"] == pytest.approx(12 / queue["per_day"], abs=0.1)
    late = shop.get(f"/api/jobs/promise-date?process_ids={saw}&confidence=0.95")
    assert (late["days"], late["lead_times"]["likely_days"], late["factor"]) == (20, 20, 2)
    assert late["interval"]["from_days"] == 10


def test_jobs_that_have_not_ended_teach_too(shop: Shop) -> None:
    saw = shop.process("Sawing")
    # All finished jobs took ten days; of those begun since, none has ended.
    shop.add_jobs([(back, 10, [saw]) for back in range(40, 140)])
    before = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    assert (before["days"], before["reason"]) == (10, None)
    shop.add_jobs([(back, None, [saw]) for back in range(2, 40)])
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    assert (found["promise_date"], found["days"], found["method"]) == (None, None, None)
    assert found["reason"] == "not_kept"
    assert found["lead_times"]["likely_days"] is None


def test_jobs_with_and_without_steps_are_not_mixed_without_being_told(shop: Shop) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    steady(shop, (3,))
    steady(shop, (9,), [saw])
    one = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    none = shop.get("/api/jobs/promise-date?has_steps=false")
    some = shop.get("/api/jobs/promise-date?has_steps=true")
    every = shop.get("/api/jobs/promise-date")
    assert [(found["kind"]["by"], found["days"]) for found in (one, none, some, every)] == [
        ("routing", 9), ("without_steps", 3), ("with_steps", 9), ("all", 9),
    ]  # fmt: skip
    assert [(kind["has_steps"], kind["median_days"]) for kind in every["kinds"]] == [(True, 9), (False, 3)]
    assert [kind["has_steps"] for kind in one["kinds"]] == [True]
    # Nobody passed these two: as many steps as nobody had, so that all with steps count, and none without.
    two = shop.get(f"/api/jobs/promise-date?process_ids={saw},{weld}")
    assert (two["kind"]["by"], two["days"], two["lead_times"]["steps"]) == ("with_steps", 9, None)


def test_jobs_with_the_same_processes_count_alone_where_there_are_enough(shop: Shop) -> None:
    a, b = shop.process("A"), shop.process("B")
    steady(shop, (3,), [a])
    steady(shop, (6,), [b])
    steady(shop, (9,), [a, b])
    steady(shop, (12,), [b, a], every=4)
    found = {
        routing: shop.get(f"/api/jobs/promise-date?process_ids={','.join(map(str, routing))}&confidence=0.9")
        for routing in ((a,), (b,), (a, b), (b, a), (a, b, a))
    }
    assert [(one["kind"]["by"], one["days"]) for one in found.values()] == [
        ("routing", 3), ("routing", 6), ("routing", 9), ("steps", 12), ("with_steps", 9),
    ]  # fmt: skip
    assert [process["name"] for process in found[a, b, a]["processes"]] == ["A", "B"]


def test_a_higher_confidence_promises_no_sooner(shop: Shop) -> None:
    steady(shop, tuple(range(1, 21)))
    days = [shop.get(f"/api/jobs/promise-date?confidence={c}")["days"] for c in (0.5, 0.8, 0.95)]
    # 19 of 20 took 19 days or less.
    assert days == [11, 17, 19]


def test_where_no_day_has_the_confidence_it_is_the_nearest_one_that_chance_allows(shop: Shop) -> None:
    # 10 days are kept by 9 of 20 jobs and 11 by all: the first is nearer to a half. To 0.8, nothing but 11 is near.
    steady(shop, tuple(10 if place % 20 % 2 and place % 20 > 1 else 11 for place in range(20)), days=180)
    half = shop.get("/api/jobs/promise-date?confidence=0.5")
    kept = half["kept"]
    assert (half["days"], half["plain"]["days"], half["reason"]) == (10, 10, None)
    assert kept["share"] == pytest.approx(0.45, abs=0.03)
    assert (kept["share_a_day_sooner"], kept["share_a_day_later"]) == (0, 1)
    most = shop.get("/api/jobs/promise-date?confidence=0.8")
    assert (most["days"], most["kept"]["share"]) == (11, 1)
    assert most["kept"]["share_a_day_sooner"] == pytest.approx(0.45, abs=0.03)


def test_a_shop_that_became_slower_gets_no_date_at_a_confidence_it_did_not_keep(shop: Shop) -> None:
    shop.add_jobs([(back, 5, []) for back in range(60, 150)])
    shop.add_jobs([(back, 15 if back > 15 else None, []) for back in range(60)])
    found = shop.get("/api/jobs/promise-date?confidence=0.6&has_steps=false")
    assert found["plain"]["days"] == 5
    assert found["plain"]["kept"]["share"] < 0.8
    assert found["days"] is None or found["days"] >= 15
    assert found["reason"] in (None, "not_kept")


def test_where_nothing_can_be_promised_the_reason_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    saw, weld = shop.process("Sawing"), shop.process("Welding")
    nothing = shop.get("/api/jobs/promise-date")
    assert (nothing["promise_date"], nothing["days"], nothing["reason"]) == (None, None, "no_history")
    assert nothing["kept"]["share"] is None
    steady(shop, (1,), [saw], days=FEWEST)
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}")["reason"] == "no_history"
    shop.add_jobs([(back, 1, [saw]) for back in range(FEWEST, 120)])
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}")["promise_date"] == "2026-04-01"
    # Nothing waits, so that it does not matter that nothing was done.
    assert shop.get(f"/api/jobs/promise-date?process_ids={weld}")["promise_date"] == "2026-04-01"
    shop.job(None, "2026-03-01 12:00+00", steps=(None,) * 3, process=weld)
    idle = shop.get(f"/api/jobs/promise-date?process_ids={weld}")
    assert (idle["promise_date"], idle["reason"], idle["interval"]) == (None, "idle_process", None)
    assert idle["processes"][0]["days"] is None
    monkeypatch.setattr(lateness_routes, "MOST_STEPS", 3)
    assert shop.get(f"/api/jobs/promise-date?process_ids={weld}")["reason"] == "too_much_work"


def test_a_process_faster_than_is_read_is_measured_on_its_newest_steps(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    saw = shop.process("Sawing")
    shop.add_jobs([(22, 1, [saw])] * 4 + [(3, 1, [saw])] * 4)
    monkeypatch.setattr(lateness_routes, "MOST_STEPS", 4)
    found = shop.get(f"/api/jobs/promise-date?process_ids={saw}")["processes"][0]
    # From noon of the 29th until today begins it is a day and a half.
    assert found["per_day"] == round(4 / 1.5, 2)


def test_what_was_added_after_the_day_looked_at_does_not_count(shop: Shop) -> None:
    saw = shop.process("Sawing")
    steady(shop, (10,), [saw])
    before = shop.get(f"/api/jobs/promise-date?process_ids={saw}")
    shop.add_jobs([(-back, None, [saw]) for back in range(1, 60)])
    assert shop.get(f"/api/jobs/promise-date?process_ids={saw}") == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("confidence=0.4", 400), ("confidence=1", 400), ("confidence=nan", 400), ("process_ids=0", 400),
        ("process_ids=x", 400), ("process_ids=", 400), ("process_ids=" + ",".join(["1"] * 501), 400),
        (f"process_ids={2**40}", 404), ("has_steps=perhaps", 400),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(shop: Shop, query: str, status: int) -> None:
    shop.get(f"/api/jobs/promise-date?{query}", status)


def test_a_long_routing_is_not_refused(shop: Shop) -> None:
    saw = shop.process("Sawing")
    found = shop.get("/api/jobs/promise-date?process_ids=" + ",".join([str(saw)] * 120))
    assert found["reason"] == "no_history"


def test_a_process_of_another_business_is_not_found(shop: Shop) -> None:
    own = shop.process("Ours")
    other = shop.write("INSERT INTO tenants (slug, name) VALUES ('other', 'Other') RETURNING id")
    foreign = shop.write("INSERT INTO processes (tenant_id, name) VALUES (%s, 'Theirs') RETURNING id", other)
    assert shop.get(f"/api/jobs/promise-date?process_ids={own}")["processes"][0]["name"] == "Ours"
    shop.get(f"/api/jobs/promise-date?process_ids={own},{foreign}", 404)
