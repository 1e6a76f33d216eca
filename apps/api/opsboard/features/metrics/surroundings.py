"""Prometheus metrics of the database, the machine and silent workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from opsboard.observability.machine import get_system_metrics

SUMS = {
    "disk_read_bytes": "Read from disks.",
    "disk_written_bytes": "Written to disks.",
    "network_received_bytes": "Received, all interfaces.",
    "network_sent_bytes": "Sent, all interfaces.",
}
NOW = {
    "cpus": "Processors.",
    "load_1m": "Load average of a minute.",
    "memory_bytes": "Memory.",
    "memory_available_bytes": "Memory that programs can have.",
    "disk_bytes": "Size of the root file system.",
    "disk_free_bytes": "Free on the root file system.",
}


class Surroundings(Collector):
    """`server` is None while the database does not answer."""

    def __init__(
        self, live: int, silent: int, server: Mapping[str, Any] | None, oldest_due_step: float | None
    ) -> None:
        self._live = live
        self._silent = silent
        self._server = server
        self._oldest_due_step = oldest_due_step

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("opsboard_workers", "Workers that report.", value=self._live)
        yield GaugeMetricFamily("opsboard_workers_silent", "Workers that fell silent.", value=self._silent)
        yield GaugeMetricFamily("opsboard_database_up", "1: it answers.", value=self._server is not None)
        if self._server is not None:
            yield GaugeMetricFamily(
                "opsboard_server_connections", "Connections of the server in use, by anybody.",
                value=self._server["connections"],
            )  # fmt: skip
            yield GaugeMetricFamily(
                "opsboard_server_max_connections", "Connections the server allows.",
                value=self._server["max_connections"],
            )  # fmt: skip
        if self._oldest_due_step is not None:
            yield GaugeMetricFamily(
                "opsboard_journeys_oldest_due_seconds", "How long the oldest due step of a journey has waited.",
                value=self._oldest_due_step,
            )  # fmt: skip
        yield from machine()


def machine() -> Iterator[Metric]:
    """Of the machine that answers."""
    metrics = get_system_metrics()
    # The end _count is for those of histograms.
    metrics["cpus"] = metrics.pop("cpu_count")
    cpu = CounterMetricFamily("machine_cpu_seconds", "Processor time by mode.", labels=("mode",))
    for mode, seconds in metrics["cpu_seconds"].items():
        cpu.add_metric((mode,), seconds)
    yield cpu
    for name, help in SUMS.items():
        if name in metrics:
            yield CounterMetricFamily(f"machine_{name}", help, value=metrics[name])
    for name, help in NOW.items():
        yield GaugeMetricFamily(f"machine_{name}", help, value=metrics[name])
