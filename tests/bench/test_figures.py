"""Figures of the rounds: ratios within a round, their spread, percentiles."""

from __future__ import annotations

import pytest

from opsboard_bench.figures import Spread, percentile, ratios, spread


def test_a_ratio_is_to_the_reference_of_the_same_round() -> None:
    # The second round was twice as slow for both: the ratio does not see it.
    assert ratios([500, 250, 600], [1000, 500, 1000]) == [0.5, 0.5, 0.6]


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_a_spread_is_the_middle_and_both_ends() -> None:
    assert spread([0.9, 0.1, 0.5]) == Spread(middle=0.5, low=0.1, high=0.9)
    assert spread([0.2, 0.4]).middle == pytest.approx(0.3)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = list(range(100, 0, -1))
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7], 0.99) == 7
    assert percentile([1, 2, 3], 0.5) == 2
    assert percentile(range(1, 11), 0.91) == 10
