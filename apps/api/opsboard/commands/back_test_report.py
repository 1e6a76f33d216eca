"""The report of a back-test: promises and risks of past days beside what came, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from opsboard.commands.back_test_cut import CONFIDENCES, DayTest, Predicted, Promised

# Fewer open jobs say nothing about the risk of one day.
FEWEST = 30
BINS = 10
BAR = 20


class PromiseScore(NamedTuple):
    """`jobs` are those whose promise is known to be kept or broken; widths are mean days."""

    jobs: int
    without_date: int
    kept: float
    kept_a_day_sooner: float
    days: float
    plain_kept: float
    plain_days: float


class RiskScore(NamedTuple):
    jobs: int
    predicted: float
    came: float
    brier: float
    brier_of_days_left: float
    brier_of_base_rate: float


def promise_score(promised: Sequence[Promised]) -> PromiseScore:
    """Return the score of promises at one confidence. A day without a date counts in `without_date` only."""
    cases = [
        (job, one.answer["days"], one.answer["plain"]["days"])
        for one in promised
        if one.answer["days"] is not None
        for job in one.came
        if job.is_ended or job.days > one.answer["days"]
    ]
    without = sum(len(one.came) for one in promised if one.answer["days"] is None)
    plain = [(job, days) for job, _, days in cases if days is not None]

    def share(kept: Sequence[bool]) -> float:
        return sum(kept) / len(kept) if kept else 0.0

    return PromiseScore(
        len(cases),
        without,
        share([job.is_ended and job.days <= days for job, days, _ in cases]),
        share([job.is_ended and job.days <= days - 1 for job, days, _ in cases]),
        sum(days for _, days, _ in cases) / max(1, len(cases)),
        share([job.is_ended and job.days <= days for job, days in plain]),
        sum(days for _, days in plain) / max(1, len(plain)),
    )


def risk_score(predicted: Sequence[Predicted]) -> RiskScore | None:
    if not predicted:
        return None

    def mean(of: Callable[[Predicted], float]) -> float:
        return sum(map(of, predicted)) / len(predicted)

    return RiskScore(
        len(predicted),
        mean(lambda one: one.risk),
        mean(lambda one: one.is_late),
        mean(lambda one: (one.risk - one.is_late) ** 2),
        mean(lambda one: (one.by_days_left - one.is_late) ** 2),
        mean(lambda one: (one.base_rate - one.is_late) ** 2),
    )


def report(tests: Sequence[DayTest]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield from promise_table(tests)
    yield ""
    yield from risk_table(tests)
    yield ""
    yield from reliability([one for test in tests for one in test.predicted])


def promise_table(tests: Sequence[DayTest]) -> Iterator[str]:
    yield "| asked | confidence | jobs | kept | kept a day sooner | days | plain kept | plain days | no date |"
    yield "|---|---|---|---|---|---|---|---|---|"
    promised = [one for test in tests for one in test.promised]
    for asked in ("with processes", "without processes", "has_steps", "no steps"):
        for confidence in CONFIDENCES:
            some = [one for one in promised if (one.asked, one.confidence) == (asked, confidence)]
            if some:
                score = promise_score(some)
                yield (
                    f"| {asked} | {confidence:g} | {score.jobs:,} | {score.kept:.3f} | {score.kept_a_day_sooner:.3f} "
                    f"| {score.days:.1f} | {score.plain_kept:.3f} | {score.plain_days:.1f} | {score.without_date:,} |"
                )


def risk_table(tests: Sequence[DayTest]) -> Iterator[str]:
    yield "| as of | open jobs | predicted late | came late | Brier | of days left alone | of the base rate |"
    yield "|---|---|---|---|---|---|---|"
    rows = [(test.day.isoformat(), test.predicted) for test in tests if len(test.predicted) >= FEWEST]
    rows.append(("all", [one for test in tests for one in test.predicted]))
    for name, predicted in rows:
        score = risk_score(predicted)
        if score:
            yield (
                f"| {name} | {score.jobs:,} | {score.predicted:.3f} | {score.came:.3f} | {score.brier:.3f} "
                f"| {score.brier_of_days_left:.3f} | {score.brier_of_base_rate:.3f} |"
            )


def reliability(predicted: Sequence[Predicted]) -> Iterator[str]:
    """Yield the reliability picture: the predicted and the actual share for each tenth of the risk."""
    yield "```"
    yield "predicted  came   jobs  . came late   | predicted"
    error = 0.0
    for place in range(BINS):
        there = [one for one in predicted if min(int(one.risk * BINS), BINS - 1) == place]
        if there:
            risk = sum(one.risk for one in there) / len(there)
            came = sum(one.is_late for one in there) / len(there)
            error += abs(risk - came) * len(there) / len(predicted)
            yield f"{risk:9.2f} {came:5.2f} {len(there):6,}  {bar(risk, came)}"
    yield f"expected calibration error {error:.3f}"
    yield "```"


def bar(predicted: float, came: float) -> str:
    marks = ["."] * round(came * BAR) + [" "] * (BAR + 1 - round(came * BAR))
    marks[round(predicted * BAR)] = "|"
    return "".join(marks).rstrip()
