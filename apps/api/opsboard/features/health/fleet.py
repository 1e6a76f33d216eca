"""The reports of all workers, put together: a line each and a total."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opsboard.cache.key import matches_prefix
from opsboard.fleet.heartbeat import SILENT_AFTER

# A worker reports every half second; after this long it has fallen silent.
NO_THREADS = {"max": 0, "busy": 0, "waiting": 0}
# Of these the sum over workers says nothing.
NOT_SUMMED = {"hit_rate", "endpoints", "second_level", "state", "reason", "longest_ms"}


def live_and_silent(workers: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Workers that spoke lately, and those that did not."""
    live = [worker for worker in workers if worker["silent_seconds"] <= SILENT_AFTER]
    return live, [worker for worker in workers if worker["silent_seconds"] > SILENT_AFTER]


def line(worker: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the line of one worker: its identity, its state, and one part of its report."""
    report = worker["report"]
    return {
        "id": worker["id"],
        "machine": worker["machine"],
        "pid": worker["pid"],
        "status": "ok" if worker["silent_seconds"] <= SILENT_AFTER else "silent",
        "silent_seconds": worker["silent_seconds"],
        "uptime_seconds": worker["uptime_seconds"],
        "memory_bytes": report["memory_bytes"],
        "answers": report["answers"],
        "request_threads": report.get("request_threads", NO_THREADS),
        part: report[part],
    }


def total_threads(reports: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Busy threads and waiting requests of all workers."""
    return {**NO_THREADS, **sum_of([report.get("request_threads", {}) for report in reports])}


def total_pool(reports: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The pool's numbers over all workers."""
    return dict(sum_of([report["pool"] for report in reports]))


def total_cache(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The cache's numbers over all workers, in all and per endpoint; the hit rate of all look-ups together."""
    parts = [report["cache"] for report in reports]
    total: dict[str, Any] = dict(sum_of(parts))
    looked_up = total["hits"] + total["misses"]
    total["hit_rate"] = total["hits"] / looked_up if looked_up else None
    names = sorted({name for part in parts for name in part["endpoints"]})
    total["endpoints"] = {
        name: dict(sum_of([part["endpoints"][name] for part in parts if name in part["endpoints"]]))
        for name in names
    }
    total["second_level"] = total_second_level([part.get("second_level", {"state": "off"}) for part in parts])
    return total


def total_second_level(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Up or down as far as all workers agree, else `partly`, with every reason there is."""
    states = {part["state"] for part in parts} or {"off"}
    return {
        "state": states.pop() if len(states) == 1 else "partly",
        "reasons": sorted({part["reason"] for part in parts if part.get("reason")}),
        **sum_of(parts),
        "longest_ms": max((part.get("longest_ms", 0.0) for part in parts), default=0.0),
    }


def of_prefix(total: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The part of a cache's numbers that belongs to the endpoints a prefix means."""
    endpoints = {
        name: numbers for name, numbers in total["endpoints"].items() if matches_prefix(name, prefix)
    }
    part = sum_of(endpoints.values())
    looked_up = part["hits"] + part["misses"]
    return {
        "total_entries": part["entries"],
        "active_entries": part["active"],
        "expired_entries": part["entries"] - part["active"],
        "bytes": part["bytes"],
        "hits": part["hits"],
        "misses": part["misses"],
        "hit_rate": part["hits"] / looked_up if looked_up else None,
        "endpoints": endpoints,
    }


def sum_of(parts: Iterable[Mapping[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        for name, number in part.items():
            if name not in NOT_SUMMED:
                total[name] += number
    return total


def date_transaction(transaction: dict[str, Any] | None, workers: Iterable[Mapping[str, Any]]) -> None:
    """Fill in since when a transaction runs, where the server does not say: when the first worker saw it running."""
    if transaction is None or transaction["since"] is not None or transaction["xid"] is None:
        return
    seen = [worker["report"].get("oldest_running") or {} for worker in workers]
    times = [one["since"] for one in seen if one.get("xid") == transaction["xid"]]
    if times:
        transaction["since"] = min(times)
        transaction["seconds"] = round(max(0.0, time.time() - min(times)))
