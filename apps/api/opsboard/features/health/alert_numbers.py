"""The numbers that alerts are decided by: the state of the workers now, and what they did in the last minutes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsboard.features.health.fleet import live_and_silent
from opsboard.observability.durations import BOUNDS

WINDOW = 300.0  # seconds
SLOW_ANSWER = 0.1  # seconds; both are bounds of histograms
SLOW_QUERY = 0.2

# Of one worker since it started: each number by its name, those of views and queries as ("answers", name).
Totals = Counter[Any]


def totals_of(report: Mapping[str, Any]) -> Totals:
    """The sums that rates are made of: how many in all and, of answers and queries, how many took too long."""
    found: Totals = Counter({
        "requests": report["answers"]["requests"],
        "errors": report["answers"]["errors"],
        "no_connection": report["pool"]["requests_errors"],
        "sign_ins_failed": report.get("sign_ins", {}).get("sign_in_failed", 0),
        "cache_hits": report["cache"]["hits"],
        "cache_requests": report["cache"]["hits"] + report["cache"]["misses"],
    })  # fmt: skip
    for part, kind, bound in (("requests", "answers", SLOW_ANSWER), ("queries", "queries", SLOW_QUERY)):
        for series in report[part]:
            found[kind, series["name"]] += sum(series["counts"])
            found[f"slow {kind}", series["name"]] += sum(series["counts"][BOUNDS.index(bound) + 1 :])
    return found


class Lately:
    """The sums of all workers together over the last `WINDOW` seconds, from the totals that each reports.

    A worker that appears counts from its start, for it began in the window; one that is gone no longer counts.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, Totals]]] = deque()

    def add(self, clock: float, workers: Mapping[str, Totals]) -> tuple[Totals, float]:
        """Take a sample; returns the sums of the window and its seconds."""
        while self._samples and self._samples[0][0] < clock - WINDOW:
            self._samples.popleft()
        self._samples.append((clock, dict(workers)))
        began, before = self._samples[0]
        sums: Totals = Counter()
        for worker, totals in workers.items():
            sums.update(totals)
            sums.subtract(before.get(worker, {}))
        return sums, clock - began


@dataclass(frozen=True)
class Numbers:
    """One look at everything: `now` is the answer of the query `alert_numbers`, `sums` of the last `seconds`."""

    now: Mapping[str, Any]
    sums: Totals = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def live(self) -> list[dict[str, Any]]:
        return live_and_silent(self.now["workers"])[0]

    @property
    def silent(self) -> list[dict[str, Any]]:
        """Workers that nobody took the place of."""
        live, silent = live_and_silent(self.now["workers"])
        places = {place_of(worker) for worker in live}
        return [worker for worker in silent if place_of(worker) not in places]

    def share(self, part: str, whole: str) -> float:
        return self.sums[part] / self.sums[whole] if self.sums[whole] > 0 else 0.0

    def named(self, kind: str) -> Iterator[tuple[str, float]]:
        """The share of slow ones of each view (`answers`) or query (`queries`)."""
        for key, count in self.sums.items():
            if isinstance(key, tuple) and key[0] == kind and count > 0:
                yield key[1], self.sums[f"slow {kind}", key[1]] / count


def place_of(worker: Mapping[str, Any]) -> str:
    """Machine and place among its workers, which a successor takes over; its process where nobody counts them."""
    slot = worker["report"].get("slot")
    return f"{worker['machine']}:{worker['pid'] if slot is None else slot}"
