"""How the machine is: processors, memory, disks and network, as any user may see them."""

from __future__ import annotations

import threading
from typing import Any

import psutil


def get_system_metrics() -> dict[str, Any]:
    """Numbers since the machine started (seconds, bytes) and as of now; a part the system hides is left out."""
    processors, memory = psutil.cpu_times(), psutil.virtual_memory()
    metrics: dict[str, Any] = {
        "cpu_seconds": {mode: getattr(processors, mode) for mode in processors._fields},
        "cpu_count": psutil.cpu_count() or 1,
        "load_1m": psutil.getloadavg()[0],
        "memory_bytes": memory.total,
        "memory_available_bytes": memory.available,
        "threads": threading.active_count(),
        "disk_free_bytes": psutil.disk_usage("/").free,
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
