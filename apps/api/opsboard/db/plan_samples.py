"""Logs the plan of a slow query now and then: its steps, tables, indexes and estimates, never a value."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from opsboard.errors import OpsboardError

log = structlog.get_logger(__name__)

EVERY = 60.0  # seconds between two plans
SAME_EVERY = 600.0  # seconds between two plans of one query
LONGEST = 60  # lines of a plan


class Sample(NamedTuple):
    """A statement as it was sent; it is dropped as soon as it is explained."""

    name: str
    sql: str
    bind: str
    params: Mapping[str, Any]


class Explains(Protocol):
    def explain(self, name: str, sql: str, bind: str, params: Mapping[str, Any]) -> Any: ...


class PlanSamples:
    """Keeps one sample at a time, which `explain_if_due` takes in a thread that no request waits for.

    The statement is explained and not run. The plan is made for its values, which show up in conditions: of a step only
    its kind, its table, its index and the estimated rows are logged.
    """

    def __init__(self, database: Explains, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._sample: Sample | None = None
        self._taken_at = -EVERY
        self._of_query: dict[str, float] = {}

    def offer(self, sample: Sample) -> None:
        """Keep a sample, unless there has been one lately."""
        now = self._clock()
        with self._lock:
            if (
                now - self._taken_at < EVERY
                or now - self._of_query.get(sample.name, -SAME_EVERY) < SAME_EVERY
            ):
                return
            self._taken_at = self._of_query[sample.name] = now
            self._sample = sample

    def explain_if_due(self) -> None:
        """Log the plan of the sample, if there is one."""
        with self._lock:
            sample, self._sample = self._sample, None
        if sample is None:
            return
        try:
            found = self._database.explain(*sample)
        except OpsboardError as error:
            log.info("plan of a slow query is not known", query=sample.name, error=error.code)
            return
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        log.warning("plan of a slow query", query=sample.name, plan=list(steps(plan))[:LONGEST])


def steps(node: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """The steps of a plan from the last to the first, each indented below the one that uses it."""
    words = [node["Node Type"]]
    for word, member in (("using", "Index Name"), ("on", "Relation Name")):
        if member in node:
            words += [word, node[member]]
    yield f"{'  ' * depth}{' '.join(words)} (rows {node['Plan Rows']}, cost {node['Total Cost']:.0f})"
    for child in node.get("Plans", ()):
        yield from steps(child, depth + 1)
