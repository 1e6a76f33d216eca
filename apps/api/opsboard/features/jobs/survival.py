"""Quantiles of durations of which some have not ended yet (Kaplan-Meier)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Observation(NamedTuple):
    """A duration. Without an end it is censored: the true value is longer than `value`."""

    value: float
    is_open: bool
    weight: float


def survival_quantile(observations: Iterable[Observation], level: float) -> float | None:
    """Return the value that a share `level` does not exceed; None where the observations do not reach that far.

    The level is raised by the factor (n + 1) / n for n ends: so it holds for the next case too.
    """
    ordered = sorted(observations)
    ends = sum(1 for one in ordered if not one.is_open)
    if not ends:
        return None
    least = 1 - min(level * (ends + 1) / ends, 1.0) + 1e-9
    at_risk = sum(one.weight for one in ordered)
    surviving = 1.0
    for value, is_open, weight in ordered:
        if not is_open and at_risk > 0:
            # Weights are sums of fractions: the last one may leave a rest.
            surviving *= max(0.0, 1 - weight / at_risk)
            if surviving <= least:
                return value
        at_risk -= weight
    return None
