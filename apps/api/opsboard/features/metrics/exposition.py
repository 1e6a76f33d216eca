"""The reports of workers as Prometheus metrics: each worker a series of its own, so that rates stay right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from opsboard.observability.durations import BOUNDS

WHO = ("machine", "worker")
# psycopg_pool's names -> what each says; sums since the start of the worker, then values of the moment.
POOL_SUMS = {
    "requests_num": "Requests for a connection.",
    "requests_queued": "Requests that had to wait for a connection.",
    "requests_errors": "Requests that got no connection.",
    "connections_num": "Connects to the server.",
    "connections_errors": "Connects that failed.",
    "connections_lost": "Connections found dead.",
    "returns_bad": "Connections given back broken.",
}
POOL_TIMES = {
    "requests_wait_ms": "Waiting for a connection.",
    "usage_ms": "Connections in use.",
    "connections_ms": "Connecting.",
}
POOL_NOW = {
    "pool_min": "Fewest connections kept.",
    "pool_max": "Most connections.",
    "pool_size": "Connections there are.",
    "pool_available": "Connections that are idle.",
    "requests_waiting": "Requests that wait for a connection now.",
}
THREADS_NOW = {
    "request_threads": "Threads that answer requests.",
    "request_threads_busy": "Threads that answer a request now.",
    "requests_waiting_for_thread": "Requests that wait for a thread now.",
}
CACHE_SUMS = {
    "evictions": "Bodies pushed out by bounds.",
    "expirations": "Bodies dropped after their TTL.",
    "invalidations": "Bodies dropped after a change.",
    "loads": "Bodies made.",
    "stale": "Bodies given after their TTL, marked STALE.",
}
EVENTS = {
    "exports": "Exports by outcome: whole or broken_off.",
    "imports": "Imports over the API and the page by outcome: stored, checked, rejected, unusable_mapping, failed, "
    "given_up; preview for a look at files.",
    "idempotent_writes": "Writes with an Idempotency-Key: done, or replayed from the first answer.",
}
SECOND_LEVEL = ("hits", "misses", "outdated", "refused", "errors", "skipped", "saved", "not_saved")
CACHE_NOW = {"total_entries": "Bodies kept.", "bytes": "Bytes of bodies kept.", "max_bytes": "Most bytes."}


def label_of(worker: dict[str, Any]) -> tuple[str, str]:
    """Machine and place among its workers, which a successor takes over; its process where nobody counts them."""
    slot = worker["report"].get("slot")
    return worker["machine"], str(worker["pid"] if slot is None else slot)


class Workers(Collector):
    """The metrics of live workers; of several with one label the newest counts."""

    def __init__(self, workers: Iterable[dict[str, Any]]) -> None:
        self._workers = {
            label_of(worker): worker for worker in sorted(workers, key=lambda w: w["started_at"])
        }

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from self._cache()
        yield from self._pool()
        yield from self._process()

    def _requests(self) -> Iterator[Metric]:
        yield self._histogram(
            "http_request_duration_seconds", "Answers by view and class of status.", "requests",
            {"endpoint": "name", "status": "kind"},
        )  # fmt: skip
        yield self._histogram(
            "opsboard_query_duration_seconds", "Named queries, each with its way to the server and back.",
            "queries", {"query": "name"},
        )  # fmt: skip
        total = CounterMetricFamily("http_requests", "Answers by class of status.", labels=("status", *WHO))
        errors = CounterMetricFamily("http_errors", "Answers with a status of 500 or above.", labels=WHO)
        for who, worker in self._workers.items():
            answers = worker["report"]["answers"]
            for status in ("2xx", "3xx", "4xx", "5xx"):
                total.add_metric((status, *who), answers[status])
            errors.add_metric(who, answers["errors"])
        yield from (total, errors)
        sign_ins = CounterMetricFamily(
            "opsboard_sign_ins", "Sign-ins and sign-outs by outcome.", labels=("outcome", *WHO)
        )
        for who, worker in self._workers.items():
            # A worker of the version before has none yet.
            for outcome, number in worker["report"].get("sign_ins", {}).items():
                sign_ins.add_metric((outcome, *who), number)
        yield sign_ins
        yield from self._outcomes()

    def _outcomes(self) -> Iterator[Metric]:
        """Counts of events by their outcome. A worker of the version before reports none."""
        for kind, help in EVENTS.items():
            family = CounterMetricFamily(f"opsboard_{kind}", help, labels=("outcome", *WHO))
            for who, worker in self._workers.items():
                for outcome, number in worker["report"].get("events", {}).get(kind, {}).items():
                    family.add_metric((outcome, *who), number)
            yield family
        second = CounterMetricFamily(
            "opsboard_shared_cache", "Look-ups and saves in the second level.", labels=("outcome", *WHO)
        )
        for who, worker in self._workers.items():
            level = worker["report"]["cache"].get("second_level", {})
            for outcome in SECOND_LEVEL:
                if outcome in level:
                    second.add_metric((outcome, *who), level[outcome])
        yield second

    def _histogram(self, name: str, help: str, part: str, labels: dict[str, str]) -> Metric:
        family = HistogramMetricFamily(name, help, labels=(*labels, *WHO))
        for who, worker in self._workers.items():
            for series in worker["report"][part]:
                counts = series["counts"] + [0] * (len(BOUNDS) + 1 - len(series["counts"]))
                bounds = [*map(str, BOUNDS), "+Inf"]
                family.add_metric(
                    (*(series[member] for member in labels.values()), *who),
                    list(zip(bounds, accumulate(counts), strict=True)),
                    series["seconds"],
                )
        return family

    def _cache(self) -> Iterator[Metric]:
        hits = CounterMetricFamily("cache_hits", "Answers from the cache.", labels=("endpoint", *WHO))
        misses = CounterMetricFamily("cache_misses", "Answers the cache had not.", labels=("endpoint", *WHO))
        asked = CounterMetricFamily("cache_requests", "Look-ups in the cache.", labels=("endpoint", *WHO))
        for who, worker in self._workers.items():
            for endpoint, numbers in worker["report"]["cache"]["endpoints"].items():
                hits.add_metric((endpoint, *who), numbers["hits"])
                misses.add_metric((endpoint, *who), numbers["misses"])
                asked.add_metric((endpoint, *who), numbers["hits"] + numbers["misses"])
        yield from (hits, misses, asked)
        yield from self._each(CounterMetricFamily, "cache_", "cache", CACHE_SUMS)
        yield from self._each(GaugeMetricFamily, "cache_", "cache", CACHE_NOW)

    def _pool(self) -> Iterator[Metric]:
        yield from self._each(CounterMetricFamily, "opsboard_pool_", "pool", POOL_SUMS)
        yield from self._each(CounterMetricFamily, "opsboard_pool_", "pool", POOL_TIMES)
        yield from self._each(GaugeMetricFamily, "opsboard_pool_", "pool", POOL_NOW)

    def _each(self, kind: Any, prefix: str, part: str, names: dict[str, str]) -> Iterator[Metric]:
        """One family for each number of a part of the reports; milliseconds become seconds."""
        for name, help in names.items():
            seconds = name.endswith("_ms")
            shown = name.removesuffix("_ms") + "_seconds" if seconds else name.removeprefix("pool_")
            family = kind(prefix + shown, help, labels=WHO)
            for who, worker in self._workers.items():
                value = worker["report"][part][name]
                family.add_metric(who, value / 1000 if seconds else value)
            yield family

    def _process(self) -> Iterator[Metric]:
        memory = GaugeMetricFamily("process_resident_memory_bytes", "Resident memory.", labels=WHO)
        cpu = CounterMetricFamily("process_cpu_seconds", "Processor time, user and system.", labels=WHO)
        threads = GaugeMetricFamily("process_threads", "Threads.", labels=WHO)
        use = {
            name: GaugeMetricFamily(f"opsboard_{name}", help, labels=WHO)
            for name, help in THREADS_NOW.items()
        }
        started = GaugeMetricFamily("process_start_time_seconds", "Start, since 1970.", labels=WHO)
        lag = GaugeMetricFamily(
            "opsboard_change_lag_seconds", "Longest time a change waited to be read lately.", labels=WHO
        )
        for who, worker in self._workers.items():
            report = worker["report"]
            memory.add_metric(who, report["memory_bytes"])
            cpu.add_metric(who, report["cpu_seconds"])
            threads.add_metric(who, report["threads"])
            # Workers of an older release do not tell, while one takes the place of the other.
            for part, family in zip(("max", "busy", "waiting"), use.values(), strict=True):
                family.add_metric(who, report.get("request_threads", {}).get(part, 0))
            started.add_metric(who, worker["started_at"])
            lag.add_metric(who, report["change_lag"])
        yield from (memory, cpu, threads, started, lag, *use.values())
