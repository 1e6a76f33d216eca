"""The risk of a job to end late is what past jobs in its state tell, by numbers worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from opsboard.features.jobs.lateness_routes import FEWEST, PRIOR, RISK_SAMPLE
from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def shop(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as shop:
        yield shop


def rate(late: int, cases: int, coarser: Fraction) -> Fraction:
    return (late + PRIOR * coarser) / (cases + PRIOR)


def the_five(shop: Shop) -> None:
    """Two ended late; of the four that once had two or three days left, three had one step left then."""
    due, begun = "2026-03-10", "2026-03-01 12:00+00"
    shop.job(due, begun, "2026-03-09 12:00+00", ("2026-03-07 12:00+00", "2026-03-09 12:00+00"))
    shop.job(due, begun, "2026-03-12 12:00+00", ("2026-03-07 12:00+00", "2026-03-12 12:00+00"))
    shop.job(due, begun, "2026-03-12 12:00+00", ("2026-03-06 12:00+00", "2026-03-12 12:00+00"))
    shop.job(due, begun, "2026-03-10 12:00+00", ("2026-03-09 12:00+00", "2026-03-10 12:00+00"))
    shop.job(due, begun, "2026-03-05 12:00+00", ("2026-03-04 12:00+00", "2026-03-05 12:00+00"))


def test_the_risk_of_a_job_is_the_fraction_worked_out_by_hand(shop: Shop) -> None:
    the_five(shop)
    job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=("2026-03-25 12:00+00", None))
    found = shop.get(f"/api/jobs/{job}/lateness-risk")
    assert (found["days_left"], found["steps_left"], found["reason"]) == (2, 1, None)
    assert found["like_it"] == {"cases": 3, "late": 2}
    assert found["with_as_many_days"] == {"cases": 4, "late": 2}
    assert found["all"] == {"cases": 5, "late": 2}
    exact = rate(2, 3, rate(2, 4, Fraction(2 + 1, 5 + 2)))
    assert exact == Fraction(318, 637)
    assert found["risk"] == round(float(exact), 4)
    assert found["risk_basis"] == 3
    (listed,) = shop.get("/api/jobs/at-risk")["items"]
    assert (listed["id"], listed["days_left"], listed["steps_left"]) == (job, 2, 1)
    assert (listed["risk"], listed["risk_basis"]) == (found["risk"], 3)


def test_a_state_nobody_was_in_has_the_risk_of_what_is_nearest_to_it(shop: Shop) -> None:
    the_five(shop)
    many_steps = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,) * 9)
    far = shop.job("2026-09-01", "2026-03-20 12:00+00", steps=(None,))
    base = Fraction(3, 7)
    by_days = shop.get(f"/api/jobs/{many_steps}/lateness-risk")
    assert (by_days["risk"], by_days["risk_basis"]) == (round(float(rate(2, 4, base)), 4), 0)
    by_all = shop.get(f"/api/jobs/{far}/lateness-risk")
    assert (by_all["risk"], by_all["risk_basis"]) == (round(float(base), 4), 0)


def test_one_job_says_little_and_many_say_much(shop: Shop) -> None:
    job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,))
    risks = []
    for more in (1, 59):
        for _ in range(more):
            shop.job("2026-03-10", "2026-03-01 12:00+00", "2026-03-12 12:00+00", ("2026-03-12 12:00+00",))
        risks.append(shop.get(f"/api/jobs/{job}/lateness-risk")["risk"])
    assert risks[0] == round(float(rate(1, 1, rate(1, 1, Fraction(2, 3)))), 4) < 0.73
    assert 0.95 < risks[1] < 1


def test_a_job_that_days_alone_brought_into_a_state_counts_there(shop: Shop) -> None:
    # Its step was completed long after: nothing happened while it had two days left.
    shop.job("2026-03-10", "2026-03-01 12:00+00", "2026-03-20 12:00+00", ("2026-03-20 12:00+00",))
    job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,))
    assert shop.get(f"/api/jobs/{job}/lateness-risk")["like_it"] == {"cases": 1, "late": 1}


def test_a_moment_that_ends_at_midnight_is_none_of_the_next_day(shop: Shop) -> None:
    shop.job("2026-03-10", "2026-03-07 00:00+00", "2026-03-09 00:00+00", ("2026-03-09 00:00+00",))
    two_days = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,))
    assert shop.get(f"/api/jobs/{two_days}/lateness-risk")["like_it"]["cases"] == 1
    one_day = shop.job("2026-04-01", "2026-03-20 12:00+00", steps=(None,))
    assert shop.get(f"/api/jobs/{one_day}/lateness-risk")["like_it"]["cases"] == 0


def test_a_step_that_nobody_ended_is_left_until_the_job_ends_and_a_skipped_one_never_was(shop: Shop) -> None:
    steps = ("2026-03-05 12:00+00", None, "2026-03-06 12:00+00")
    past = shop.job("2026-03-10", "2026-03-01 12:00+00", "2026-03-09 12:00+00", steps)
    one, two = (shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,) * n) for n in (1, 2))
    like = [shop.get(f"/api/jobs/{job}/lateness-risk")["like_it"]["cases"] for job in (one, two)]
    assert like == [1, 0]
    shop.write(
        "UPDATE job_steps SET status = 'skipped' WHERE job_id = %s AND step_order = 2 RETURNING id", past
    )
    none = shop.job("2026-04-02", "2026-03-20 12:00+00")
    like = [shop.get(f"/api/jobs/{job}/lateness-risk")["like_it"]["cases"] for job in (none, one)]
    assert like == [1, 0]


@pytest.mark.parametrize(
    ("zone", "late"), [("UTC", 0), ("Pacific/Kiritimati", 1), ("America/New_York", 0), ("Asia/Tokyo", 0)]
)
def test_late_is_by_the_days_of_the_business(database: FreshDatabase, zone: str, late: int) -> None:
    with past_shop(database, zone) as shop:
        # In Kiritimati the last minute of the day that they were due, and the first of the next one.
        for ended in ("2026-03-10 09:59:59.999+00", "2026-03-10 10:00+00"):
            shop.job("2026-03-10", "2026-03-01 12:00+00", ended, (ended,))
        job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,))
        assert shop.get(f"/api/jobs/{job}/lateness-risk")["all"] == {"cases": 2, "late": late}


def test_what_no_risk_can_be_told_of_has_none_and_the_reason(shop: Shop) -> None:
    begun = "2026-03-01 12:00+00"
    job = shop.job("2026-04-02", begun, steps=(None,))
    answers = {
        "no_history": job,
        "no_due_date": shop.job(None, begun),
        "closed": shop.job("2026-04-02", begun, status="cancelled"),
    }
    for reason, found in answers.items():
        answer = shop.get(f"/api/jobs/{found}/lateness-risk")
        assert (answer["risk"], answer["reason"]) == (None, reason)
    (listed,) = shop.get("/api/jobs/at-risk")["items"]
    assert (listed["id"], listed["risk"], listed["risk_basis"]) == (job, None, 0)
    # A finished job that was due on no day teaches nothing.
    shop.job(None, begun, "2026-03-05 12:00+00")
    assert shop.get(f"/api/jobs/{job}/lateness-risk")["reason"] == "no_history"
    overdue = shop.get(f"/api/jobs/{shop.job('2026-03-30', begun)}/lateness-risk")
    assert (overdue["risk"], overdue["reason"], overdue["days_left"]) == (1, "overdue", -1)
    shop.get(f"/api/jobs/{2**40}/lateness-risk", 404)


def test_the_list_has_the_open_jobs_that_are_not_late_soonest_due_first(shop: Shop) -> None:
    begun = "2026-03-01 12:00+00"
    wanted = [shop.job(due, begun) for due in ("2026-03-31", "2026-04-01", "2026-07-01")]
    held = shop.job("2026-05-01", begun, status="on_hold")
    shop.job("2026-03-30", begun)
    shop.job(None, begun)
    shop.job("2026-04-01", begun, "2026-03-30 12:00+00")
    shop.job("2026-04-01", begun, status="cancelled")
    found = shop.get("/api/jobs/at-risk")
    assert [item["id"] for item in found["items"]] == [wanted[0], wanted[1], held, wanted[2]]
    assert found["total"] == 4
    assert [item["id"] for item in shop.get("/api/jobs/at-risk?status=on_hold")["items"]] == [held]
    near = shop.get("/api/jobs/at-risk?due_to=2026-04-01")
    assert ([item["id"] for item in near["items"]], near["total"]) == (wanted[:2], 2)
    shop.get("/api/jobs/at-risk?status=completed", 400)


def test_only_the_newest_jobs_teach(shop: Shop) -> None:
    newest = RISK_SAMPLE["at_least"]
    # Three were added each day: the cut is between two days.
    made = generated(shop, newest + 51, lambda _: 0.5)
    job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=(None,))
    found = shop.get(f"/api/jobs/{job}/lateness-risk")["all"]
    # The open job is one of them, and not due yet.
    assert found == {"cases": newest - 1, "late": sum(made[-newest + 1 :])}


def test_of_each_day_a_few_jobs_teach(shop: Shop) -> None:
    kept = RISK_SAMPLE["kept_per_day"]
    for _ in range(2 * kept):
        shop.job("2026-03-20", "2026-03-10 12:00+00", "2026-03-15 12:00+00")
    shop.job("2026-03-20", "2026-03-11 12:00+00", "2026-03-25 12:00+00")
    job = shop.job("2026-04-02", "2026-03-30 12:00+00")
    assert shop.get(f"/api/jobs/{job}/lateness-risk")["all"] == {"cases": kept + 1, "late": 1}


def generated(shop: Shop, jobs: int, chance: Callable[[int], float]) -> list[bool]:
    """Finished jobs of one to five steps that all end at once: on the due day or, with that chance, two days after.
    Gives back who of them is late, in the order in which they were due.

    So in every state that a job with so many steps is in, its chance to end late is the same, and known.
    """
    draw = random.Random(4)
    made, rows = [], []
    for number in range(jobs):
        steps = 1 + draw.randrange(5)
        is_late = draw.random() < chance(steps)
        made.append(is_late)
        rows.append((number, steps, 2 if is_late else 0))
    shop.write(
        """
        WITH given AS (
            SELECT g.number, g.steps, '2025-01-01'::date + g.number / 3 AS due,
                '2025-01-01'::date + g.number / 3 + g.late + make_interval(hours => 12, secs => g.number) AS ended
            FROM unnest(%s::integer[], %s::integer[], %s::integer[]) AS g (number, steps, late)
        ),
        j AS (
            INSERT INTO jobs (tenant_id, job_number, title, status, due_date, created_at, completed_at)
            SELECT %s, 'G-' || g.number, 'g', 'completed', g.due, g.due - 20, g.ended
            FROM given AS g
            RETURNING tenant_id, id, job_number, completed_at
        ),
        s AS (
            INSERT INTO job_steps (tenant_id, job_id, step_order, status, completed_at)
            SELECT j.tenant_id, j.id, k, 'completed', j.completed_at
            FROM j
            JOIN given AS g ON 'G-' || g.number = j.job_number
            CROSS JOIN generate_series(1, g.steps) AS k
        )
        SELECT count(*) FROM j
        """,
        *map(list, zip(*rows, strict=True)),
        shop.id,
    )
    return made


def test_an_open_job_past_its_due_date_teaches_that_it_is_late(shop: Shop) -> None:
    the_five(shop)
    job = shop.job("2026-04-02", "2026-03-20 12:00+00", steps=("2026-03-25 12:00+00", None))
    before = shop.get(f"/api/jobs/{job}/lateness-risk")
    # It stands with one step left since it had two days left, as the job asked for does.
    shop.job("2026-03-29", "2026-03-20 12:00+00", steps=("2026-03-27 12:00+00", None))
    found = shop.get(f"/api/jobs/{job}/lateness-risk")
    assert (before["like_it"], found["like_it"]) == ({"cases": 3, "late": 2}, {"cases": 4, "late": 3})
    assert found["all"] == {"cases": 6, "late": 3}
    exact = rate(3, 4, rate(3, 5, Fraction(3 + 1, 6 + 2)))
    assert found["risk"] == round(float(exact), 4) > before["risk"]


def test_an_open_job_that_is_not_due_is_a_censored_observation(shop: Shop) -> None:
    begun = "2026-03-01 12:00+00"
    for ended in ("2026-03-05 12:00+00",) * 2 + ("2026-03-12 12:00+00",) * 2:
        shop.job("2026-03-10", begun, ended)
    # Open with two days left, and ended with six days left, but not due yet.
    for _ in range(3):
        shop.job("2026-04-02", "2026-03-20 12:00+00")
    for _ in range(2):
        shop.job("2026-04-03", "2026-03-20 12:00+00", "2026-03-28 12:00+00")
    job = shop.job("2026-04-09", "2026-03-31 12:00+00")
    found = shop.get(f"/api/jobs/{job}/lateness-risk")
    assert (found["like_it"], found["all"]) == ({"cases": 9, "late": 2}, {"cases": 4, "late": 2})
    # Nine came to have four to seven days left, and four of them ended then: five ninths last longer. All whose end
    # is known after that were late. Of those that ended, two of six were late; of those that were due, two of four.
    share = Fraction(5, 9)
    days = (9 * share + PRIOR * Fraction(1, 2)) / (9 + PRIOR)
    assert found["risk"] == round(float((9 * share + PRIOR * days) / (9 + PRIOR)), 4)


def weeks_of_work(shop: Shop, weeks: int, is_late: Callable[[int, bool], bool]) -> None:
    """Twelve finished jobs of one step each week, that are due after ten days. Half of them begin at once, half on the
    third day. They end a day early or two days late, as `is_late` says of the week, counted back, and of the beginning.
    """
    rows = [
        (7 * week + place, begun_at_once, is_late(week, begun_at_once))
        for week in range(weeks)
        for place in range(6)
        for begun_at_once in (True, False)
    ]
    shop.write(
        """
        WITH given AS (
            SELECT g.number, g.at_once, '2026-03-30'::date - g.back AS due, CASE WHEN g.late THEN 2 ELSE -1 END AS late
            FROM unnest(%s::integer[], %s::boolean[], %s::boolean[]) WITH ORDINALITY AS g (back, at_once, late, number)
        ),
        j AS (
            INSERT INTO jobs (tenant_id, job_number, title, status, due_date, created_at, completed_at)
            SELECT %s, 'W-' || g.number, 'w', 'completed', g.due, g.due - 10, g.due + g.late + interval '12 hours'
            FROM given AS g
            RETURNING tenant_id, id, job_number, created_at, completed_at
        ),
        s AS (
            INSERT INTO job_steps (tenant_id, job_id, step_order, status, started_at, completed_at)
            SELECT j.tenant_id, j.id, 1, 'completed',
                j.created_at + CASE WHEN g.at_once THEN interval '1 hour' ELSE interval '3 days' END, j.completed_at
            FROM j
            JOIN given AS g ON 'W-' || g.number = j.job_number
        )
        SELECT count(*) FROM j
        """,
        *map(list, zip(*rows, strict=True)),
        shop.id,
    )


def risks_at_work(shop: Shop) -> dict[str, dict[str, Any]]:
    """The answers for two open jobs with five days left: one was begun at once, one has not been begun."""
    found = {}
    for work in ("begun_at_once", "not_begun"):
        job = shop.job("2026-04-05", "2026-03-26 12:00+00", steps=(None,))
        if work == "begun_at_once":
            shop.write(
                "UPDATE job_steps SET started_at = '2026-03-26 13:00+00' WHERE job_id = %s RETURNING 1", job
            )
        found[work] = shop.get(f"/api/jobs/{job}/lateness-risk")
        assert found[work]["work"] == work
    return found


def test_whether_work_has_begun_counts_where_it_told_the_end_in_every_week(shop: Shop) -> None:
    weeks_of_work(shop, 16, lambda week, begun_at_once: not begun_at_once)
    found = risks_at_work(shop)["begun_at_once"]
    assert (found["weight_of_work"], found["shift"]) == (1, 0)
    assert (found["like_it"], found["like_it_at_work"]) == (
        {"cases": 192, "late": 96}, {"cases": 96, "late": 0},
    )  # fmt: skip
    state = rate(96, 192, rate(96, 192, Fraction(96 + 1, 192 + 2)))
    assert found["risk"] == round(float(rate(0, 96, state)), 4) < 0.06
    listed = {item["id"]: item["risk"] for item in shop.get("/api/jobs/at-risk")["items"]}
    assert listed[found["id"]] == found["risk"]


def test_whether_work_has_begun_counts_less_where_it_misled_in_a_week(shop: Shop) -> None:
    weeks_of_work(shop, 16, lambda week, begun_at_once: begun_at_once == (week == 7))
    found = risks_at_work(shop)
    assert found["begun_at_once"]["weight_of_work"] == found["not_begun"]["weight_of_work"] < 0.2
    # With the opposite in every other week there is nothing to learn from it.
    shop.write("WITH d AS (DELETE FROM jobs RETURNING 1) SELECT count(*) FROM d")
    weeks_of_work(shop, 16, lambda week, begun_at_once: begun_at_once == (week % 2 == 0))
    assert risks_at_work(shop)["not_begun"]["weight_of_work"] == 0


def test_risks_are_shifted_when_the_last_weeks_were_not_as_the_past(shop: Shop) -> None:
    weeks_of_work(shop, 16, lambda week, begun_at_once: week < 4)
    found = risks_at_work(shop)["not_begun"]
    # A quarter of all was late, and everything of the last four weeks.
    assert found["shift"] > 1
    assert found["risk"] > 0.9


def test_predictions_come_true_for_a_business_with_known_chances(shop: Shop) -> None:
    generated(shop, 1000, lambda steps: 0.18 * steps - 0.1)
    found = shop.get("/api/jobs/risk-calibration")
    assert (found["learned_from"], found["scored"], found["reason"]) == (750, 250, None)
    assert found["is_better"] is True
    assert found["brier"] < 0.85 * found["brier_of_base_rate"]
    assert sum(one["cases"] for one in found["bins"]) == found["cases"] > 1000
    assert len(found["bins"]) >= 4
    for one in found["bins"]:
        assert one["from"] <= one["predicted"] <= one["to"]
        if one["cases"] > 150:
            assert one["observed"] == pytest.approx(one["predicted"], abs=0.12), one


def test_the_risk_claims_no_skill_where_lateness_is_pure_chance(shop: Shop) -> None:
    generated(shop, 1000, lambda _: 0.3)
    found = shop.get("/api/jobs/risk-calibration")
    assert found["brier"] == pytest.approx(found["brier_of_base_rate"], abs=0.005)
    assert found["base_rate"] == pytest.approx(0.3, abs=0.05)


def test_what_is_scored_was_not_learned_from(shop: Shop) -> None:
    # The old ones end late and the newest do not: a risk learned from these too would look good.
    generated(shop, 400, lambda _: 1.0)
    shop.write(
        "UPDATE jobs SET completed_at = due_date + interval '1 hour' WHERE due_date > '2025-04-10' RETURNING 1"
    )
    found = shop.get("/api/jobs/risk-calibration")
    assert found["scored"] == 100
    assert found["brier"] > 0.9
    assert found["is_better"] is False


def test_of_few_finished_jobs_nothing_is_said(shop: Shop) -> None:
    for jobs, reason in ((0, "not_enough_history"), (FEWEST - 1, "not_enough_history"), (FEWEST, None)):
        shop.write("WITH d AS (DELETE FROM jobs RETURNING 1) SELECT count(*) FROM d")
        if jobs:
            generated(shop, jobs, lambda _: 0.5)
        found = shop.get("/api/jobs/risk-calibration")
        assert found["reason"] == reason
        assert found["learned_from"] + found["scored"] == jobs
        if reason:
            assert (found["brier"], found["is_better"], found["bins"], found["cases"]) == (None, None, [], 0)
