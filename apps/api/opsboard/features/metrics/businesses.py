"""Counts of each business as Prometheus metrics, for a scrape with a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BY_STATUS = {
    "jobs": "Jobs by status.",
    "leads": "Leads by status.",
    "response_approvals": "Approvals by status.",
}


class Businesses(Collector):
    """`numbers`: business, metric, label and count, as `business_numbers()` gives them."""

    def __init__(self, numbers: Iterable[tuple[str, str, str, int]]) -> None:
        self._numbers = list(numbers)

    def collect(self) -> Iterator[Metric]:
        for name, help in BY_STATUS.items():
            family = GaugeMetricFamily(f"opsboard_{name}", help, labels=("business", "status"))
            for business, metric, label, count in self._numbers:
                if metric == name:
                    family.add_metric((business, label), count)
            yield family
        overdue = GaugeMetricFamily("opsboard_jobs_overdue", "Open jobs that are late.", labels=("business",))
        for business, metric, _, count in self._numbers:
            if metric == "jobs_overdue":
                overdue.add_metric((business,), count)
        yield overdue
