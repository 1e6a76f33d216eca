"""Prometheus metrics of the database, the machine and silent workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from opsboard.observability.faults import FULL_LATELY, seconds_since
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


# Left out altogether while they are not known.
WITHOUT_SAMPLES_LEFT_OUT = {"journeys_oldest_due_seconds", "deliveries_oldest_waiting_seconds"}


class Surroundings(Collector):
    """`found` is the answer of the query `workers`, None while the database does not answer."""

    def __init__(self, live: int, silent: int, found: Mapping[str, Any] | None) -> None:
        self._live = live
        self._silent = silent
        self._found = found or {}
        self._server = found and found["server"]

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
        for name, (help, value) in self._ends().items():
            family = GaugeMetricFamily(f"opsboard_{name}", help)
            if value is not None:
                family.add_metric((), value)
            if value is not None or name not in WITHOUT_SAMPLES_LEFT_OUT:
                yield family
        yield from machine()

    def _ends(self) -> dict[str, tuple[str, float | None]]:
        """Numbers that run out or are late, each with its help; None where it is not known."""
        found = self._found
        checks: Mapping[str, float] = found.get("checks", {})
        differences = [value for name, value in checks.items() if name.startswith("rollups ")]
        expires, full_ago = checks.get("certificate"), seconds_since("disk_full")
        backup = found.get("backup_age_seconds")
        return {
            "journeys_oldest_due_seconds": (
                "How long the oldest due step of a journey has waited.", found.get("oldest_due_seconds"),
            ),
            "deliveries_oldest_waiting_seconds": (
                "How long the oldest webhook or mail has waited.", found.get("oldest_delivery_seconds"),
            ),
            "unfolded_deltas": ("Changes of counts that are not folded yet.", found.get("unfolded_deltas")),
            "transaction_ids_used": ("Share of the transaction ids.", found.get("transaction_ids_used")),
            "backup_age_seconds": ("Since the last backup.", None if backup is None else float(backup)),
            "certificate_expires_seconds": (
                "Until the certificate of PUBLIC_URL ends.", None if expires is None else expires - found["clock"],
            ),
            "rollup_differences": (
                "Differences that the last recount of each business found.",
                max(differences) if differences else None,
            ),
            "database_disk_full": (
                "1: the database's disk refused a write of this worker lately.",
                float(full_ago is not None and full_ago < FULL_LATELY),
            ),
        }  # fmt: skip


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
