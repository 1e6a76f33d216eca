"""Counts and use of each business as Prometheus metrics, for a scrape with a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BY_STATUS = {
    "jobs": "Jobs by status.",
    "leads": "Leads by status.",
    "response_approvals": "Approvals by status.",
    "deliveries": "Webhooks and mail in the delivery log by status: waiting, delivered, failed.",
}


# Since the beginning of the month (UTC), as the service wrote it down once a minute.
USED = {
    "requests": "Requests answered since the month began.",
    "request_seconds": "Time of these requests.",
    "sent_bytes": "Bytes of bodies sent.",
}


class Businesses(Collector):
    """`numbers`: business, metric, label and count of each. `usage`: business, requests, seconds and bytes."""

    def __init__(
        self,
        numbers: Iterable[tuple[str, str, str, int]],
        usage: Iterable[tuple[str, int, float, int]] = (),
    ) -> None:
        self._numbers = list(numbers)
        self._usage = list(usage)

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
        for number, (name, help) in enumerate(USED.items(), 1):
            used = CounterMetricFamily(f"opsboard_business_{name}", help, labels=("business",))
            for line in self._usage:
                used.add_metric((line[0],), float(line[number]))
            yield used
