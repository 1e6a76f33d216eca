"""Quantiles of durations of which some have not ended yet (Kaplan-Meier)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class Observation(NamedTuple):
    """A duration. Without an end it is censored: the true value is longer than `value`."""

    value: float
    is_open: bool
    weight: float


class SurvivalCurve(NamedTuple):
    """The share that has ended after each of these durations, both ascending, and the number of ends."""

    values: list[float]
    shares: list[float]
    ends: int

    def quantile(self, level: float) -> float | None:
        """Return the duration that a share `level` does not exceed; None where the observations do not reach that far.

        The level is raised by the factor (n + 1) / n for n ends: so it holds for the next case too.
        """
        if not self.ends:
            return None
        least = min(level * (self.ends + 1) / self.ends, 1.0) - 1e-9
        place = bisect_left(self.shares, least)
        return self.values[place] if place < len(self.values) else None

    def share(self, value: float) -> float:
        """Return the share that does not exceed this duration."""
        place = bisect_right(self.values, value + 1e-6)
        return self.shares[place - 1] if place else 0.0


def survival_curve(observations: Iterable[Observation]) -> SurvivalCurve:
    ordered = sorted(observations)
    curve = SurvivalCurve([], [], sum(1 for one in ordered if not one.is_open))
    at_risk = sum(one.weight for one in ordered)
    surviving = 1.0
    for value, is_open, weight in ordered:
        if not is_open and at_risk > 0:
            # Weights are sums of fractions: the last one may leave a rest.
            surviving *= max(0.0, 1 - weight / at_risk)
            curve.values.append(value)
            curve.shares.append(1 - surviving)
        at_risk -= weight
    return curve
