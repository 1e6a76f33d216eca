"""Durations of each named query since the process started, and a log line for each slow one."""

from __future__ import annotations

import math

import structlog

from opsboard.db.plan_samples import PlanSamples, Sample
from opsboard.observability.durations import Durations

log = structlog.get_logger(__name__)


class QueryWatch:
    """Told by every Database of the process. `slow_ms` of 0 tells of none.

    The log line has the query's name, the id of the business and, inside a request, its id and endpoint; never a value
    or a tenant's row. `samples` may log the plan.
    """

    def __init__(self, durations: Durations | None = None, slow_ms: int = 0) -> None:
        self.durations = durations or Durations()
        self.samples: PlanSamples | None = None
        self._slow = slow_ms / 1000 if slow_ms else math.inf

    def ran(self, name: str, seconds: float, sample: Sample | None = None) -> None:
        self.durations.add(self.durations.series(name), seconds)
        if seconds >= self._slow:
            business = sample.params.get("tenant_id") if sample else None
            of_business = {} if business is None else {"business": business}
            log.warning("slow query", query=name, ms=round(seconds * 1000, 1), **of_business)
            if sample and self.samples:
                self.samples.offer(sample)
