"""Counts of things that happen in this process, by kind and outcome; both come from our code, never from a client."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_counts: dict[str, Counter[str]] = {kind: Counter() for kind in ("exports", "imports", "idempotent_writes")}


def note(kind: str, outcome: str) -> None:
    """One more has ended in this way."""
    with _lock:
        _counts[kind][outcome] += 1


def counts() -> dict[str, dict[str, int]]:
    """Each kind with its outcomes so far."""
    with _lock:
        return {kind: dict(outcomes) for kind, outcomes in _counts.items()}
