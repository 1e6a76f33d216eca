"""Figures of the rounds: medians, ratios to the reference of the same round, percentiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The middle of all rounds, the lowest and the highest."""

    middle: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def ratios(rates: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Each round's rate to the reference's of the same round: what slowed that round slowed both."""
    return [rate / of for rate, of in zip(rates, reference, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of all (0 to 1) do not exceed: nearest rank, never interpolated."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
