"""Waits for a condition instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

PATIENCE = 60.0


def eventually(what: str, holds: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Wait until the condition holds and return the seconds that took. Fails with `what` if it does not."""
    began = time.monotonic()
    if not comes_true(holds, patience):
        pytest.fail(f"{what}: not within {patience:g} s")
    return time.monotonic() - began


def comes_true(holds: Callable[[], bool], patience: float = 10.0) -> bool:
    """Return True if the condition comes true in time."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
