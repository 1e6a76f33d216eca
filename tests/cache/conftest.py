"""A store with a clock of its own, and a stage for its callers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsboard.cache import Store
from tests.cache.stage import Clock, Stage, staged


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    """A store of 100 entries and a megabyte."""
    return Store(100, 1_000_000, clock)


@pytest.fixture
def stage(store: Store) -> Iterator[Stage]:
    """Callers of that store that move only when told."""
    with staged(store) as stage:
        yield stage
