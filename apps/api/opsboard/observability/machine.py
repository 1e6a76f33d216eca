"""Processors, memory, disks and network of the machine, as any user can read them."""

from __future__ import annotations

import threading
from typing import Any

import psutil


def get_system_metrics() -> dict[str, Any]:
    """Numbers since the machine started (seconds, bytes) and as of now; a part the system hides is left out."""
    processors, memory = psutil.cpu_times(), psutil.virtual_memory()
    resident, disk_use = psutil.Process().memory_info().rss, psutil.disk_usage("/")
    metrics: dict[str, Any] = {
        "cpu_seconds": {mode: getattr(processors, mode) for mode in processors._fields},
        "cpu_percent": _usage.percent(processors),
        "cpu_count": psutil.cpu_count() or 1,
        "load_1m": psutil.getloadavg()[0],
        "memory_bytes": memory.total,
        "memory_available_bytes": memory.available,
        "process_memory_bytes": resident,
        "process_memory_percent": round(100 * resident / memory.total, 1),
        "threads": threading.active_count(),
        "disk_bytes": disk_use.total,
        "disk_free_bytes": disk_use.free,
    }
    # None in a container that may not look.
    if disk := psutil.disk_io_counters():
        metrics |= {"disk_read_bytes": disk.read_bytes, "disk_written_bytes": disk.write_bytes}
    if network := psutil.net_io_counters():
        metrics |= {
            "network_received_bytes": network.bytes_recv,
            "network_sent_bytes": network.bytes_sent,
        }
    return metrics


class ProcessorUse:
    """Return the load of the processors in percent since the last call; at the first call since boot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = self._total = 0.0

    def percent(self, times: Any) -> float:
        total = sum(times)
        busy = total - times.idle - getattr(times, "iowait", 0.0)
        with self._lock:
            busy_since, total_since = busy - self._busy, total - self._total
            self._busy, self._total = busy, total
        return round(min(100.0, max(0.0, 100 * busy_since / total_since)), 1) if total_since > 0 else 0.0


_usage = ProcessorUse()
