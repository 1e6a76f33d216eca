"""Makes a test fail when a request of its own process runs a query more than once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opsboard.observability.record import Record
from opsboard.web import lifecycle


@contextmanager
def no_repeats() -> Iterator[None]:
    """Fails at the end of the block, naming the endpoints and their queries."""
    told: list[str] = []
    warn = lifecycle.warn_of_repeats

    def noted(current: Record) -> dict[str, int]:
        repeated = warn(current)
        if repeated:
            told.append(f"{current.endpoint}: {repeated}")
        return repeated

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "warn_of_repeats", noted)
        yield
    if told:
        pytest.fail(f"requests repeat queries: {'; '.join(told)}", pytrace=False)
