"""The whole day to promise from a distribution of lead times that is lumpy in days."""

from __future__ import annotations

import math
from typing import NamedTuple

from opsboard.features.jobs.survival import SurvivalCurve

# With fewer finished jobs, or fewer promises to check, there is no telling how good a promise is.
FEWEST = 40


class PromisedDay(NamedTuple):
    """`days` is the quantile, `whole` the days that are promised; None: it never ends."""

    days: float
    whole: int | None


def promised_days(
    curve: SurvivalCurve, confidence: float, base: float = 1.0
) -> tuple[PromisedDay, PromisedDay] | None:
    """Return the first day with the confidence, and the nearest one. Durations of the curve are multiples of `base`.

    Where many jobs take equally long, the first day with the confidence may be kept far more often than asked for. The
    nearest is the day before, if that one is nearer to the confidence and not below it by more than chance explains,
    while the first day is above it by more.
    """
    quantile = curve.quantile(confidence)
    if quantile is None:
        return None
    days = quantile * base
    first = PromisedDay(days, whole_days(days))
    if not first.whole:
        return first, first
    above = curve.share(first.whole / base) - confidence
    below = confidence - curve.share((first.whole - 1) / base)
    if above > slack(confidence) >= below and below < above:
        return first, PromisedDay(days, first.whole - 1)
    return first, first


def slack(confidence: float) -> float:
    """Return what chance explains in the fewest jobs that anything is said about: one standard error."""
    return math.sqrt(confidence * (1 - confidence) / FEWEST)


def whole_days(days: float | None) -> int | None:
    return None if days is None or not math.isfinite(days) else max(0, math.ceil(days - 1e-6))
