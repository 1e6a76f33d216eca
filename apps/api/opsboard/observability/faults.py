"""When this process last met a fault that somebody has to mend, by its code."""

from __future__ import annotations

import time

# A disk that refused a write not longer ago than this counts as full.
FULL_LATELY = 300.0  # seconds

_last: dict[str, float] = {}


def note(code: str) -> None:
    """It was met just now."""
    _last[code] = time.monotonic()


def seconds_since(code: str) -> float | None:
    """Return the seconds since it last occurred; None: never."""
    at = _last.get(code)
    return None if at is None else time.monotonic() - at
