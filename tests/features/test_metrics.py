"""/metrics counts every answer once, in the right bucket, and tells only those who may know."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from opsboard.features.metrics.exposition import Workers
from opsboard.observability import machine
from opsboard.observability.durations import BOUNDS, Durations
from opsboard.observability.machine import get_system_metrics
from tests.application import Application, running_application
from tests.features.test_imports import BROKEN, CUSTOMERS, MAPPING, begun, send, waiting_imports
from tests.web.ways import Ways, bearer

STATS = "/api/dashboard/stats"
Samples = dict[str, list[tuple[dict[str, str], float]]]


def scrape(app: Application, **how: Any) -> TestResponse:
    return Client(app.flask).get("/metrics", **how)


def samples_of(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type != "unknown", family.name
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def scraped(app: Application) -> Samples:
    answer = scrape(app)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return samples_of(answer.get_data(as_text=True))


def value(samples: Samples, name: str, **labels: str) -> float:
    return sum(number for have, number in samples.get(name, []) if labels.items() <= have.items())


def test_an_answer_is_counted_once_whichever_way_it_went(own_app: Application) -> None:
    ways = Ways(own_app)
    headers = bearer(own_app.token())
    for _ in range(3):
        ways.ask(STATS, headers=headers)
    tag = ways.ask_fast(STATS, headers=headers).headers["ETag"]
    ways.ask(STATS, headers={**headers, "If-None-Match": tag})
    ways.ask("/api/jobs/999999", headers=headers)
    assert ways.asked < 6, "the fast path answered some of them"
    samples = scraped(own_app)
    count = "http_request_duration_seconds_count"
    assert value(samples, count, endpoint="dashboard.stats", status="2xx") == 4
    assert value(samples, count, endpoint="dashboard.stats", status="3xx") == 1
    assert value(samples, count, endpoint="jobs.get_job", status="4xx") == 1
    assert value(samples, "http_requests_total", status="3xx") == 1
    assert value(samples, "cache_hits_total", endpoint="dashboard.stats") == 4
    assert value(samples, "cache_requests_total", endpoint="dashboard.stats") == 5
    assert value(samples, "opsboard_query_duration_seconds_count", query="dashboard.stats") == 1


def test_imports_are_counted_by_their_outcome(own_app: Application) -> None:
    def counted() -> dict[str, float]:
        found = scraped(own_app)["opsboard_imports_total"]
        return {labels["outcome"]: number for labels, number in found}

    client = own_app.client()
    send(client, "/api/imports/preview", customers__csv=CUSTOMERS)
    before = counted()
    for path, mapping, content in (
        ("/api/imports", MAPPING, CUSTOMERS),
        ("/api/imports?dry_run=true", MAPPING, CUSTOMERS),
        ("/api/imports", MAPPING, BROKEN),
        ("/api/imports", "tables = 1", CUSTOMERS),
        ("/api/imports/preview", None, CUSTOMERS),
    ):
        assert send(client, path, mapping, customers__csv=content).get_data()
    with waiting_imports(own_app):
        begun(own_app).close()
    after = counted()
    ended = {outcome: after[outcome] - before.get(outcome, 0.0) for outcome in after}
    assert {outcome: number for outcome, number in ended.items() if number} == dict.fromkeys(
        ("stored", "checked", "rejected", "unusable_mapping", "preview", "given_up"), 1.0
    )


def test_buckets_are_cumulative_and_end_with_all(own_app: Application) -> None:
    own_app.client().get(STATS)
    samples = scraped(own_app)
    of_stats = [
        (labels["le"], number)
        for labels, number in samples["http_request_duration_seconds_bucket"]
        if labels["endpoint"] == "dashboard.stats"
    ]
    assert [bound for bound, _ in of_stats] == [*map(str, BOUNDS), "+Inf"]
    numbers = [number for _, number in of_stats]
    assert numbers == sorted(numbers) and numbers[-1] == 1.0
    assert value(samples, "http_request_duration_seconds_sum", endpoint="dashboard.stats") > 0


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.0005, 0), (0.00051, 1), (0.1, 7), (0.11, 8), (99, 14)]
)
def test_a_duration_falls_into_the_bucket_of_its_bound(seconds: float, bucket: int) -> None:
    durations = Durations()
    durations.add(durations.series("a"), seconds)
    (report,) = durations.report()
    assert report["counts"] == [0] * bucket + [1]
    assert (report["seconds"], report["longest"]) == (seconds, seconds)


def test_every_metric_that_dashboards_and_alerts_ask_for_is_there(app: Application) -> None:
    samples = scraped(app)
    for name in (
        "opsboard_pool_size", "opsboard_pool_max", "opsboard_pool_available", "opsboard_pool_requests_waiting",
        "opsboard_pool_requests_wait_seconds_total", "opsboard_pool_requests_errors_total",
        "opsboard_change_lag_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", "cache_bytes",
        "cache_evictions_total", "cache_expirations_total", "opsboard_server_connections", "machine_cpu_seconds_total",
        "machine_memory_available_bytes",
    ):  # fmt: skip
        assert name in samples, name
    assert value(samples, "opsboard_database_up") == value(samples, "opsboard_workers") == 1
    assert value(samples, "process_resident_memory_bytes") > 10_000_000


def test_without_a_token_only_this_machine_may_scrape(app: Application) -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", ""):
        assert scrape(app, environ_overrides={"REMOTE_ADDR": address}).status_code == 200, address
    for address in ("203.0.113.9", "10.0.0.1", "::ffff:203.0.113.9", "fe80::1"):
        answer = scrape(app, environ_overrides={"REMOTE_ADDR": address})
        assert (answer.status_code, json.loads(answer.data)["code"]) == (403, "forbidden"), address


def test_a_proxy_on_this_machine_does_not_open_it_to_the_outside(app: Application) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    for peer in ("127.0.0.1", ""):  # not trusted, and trusted because it came by the unix socket
        answer = scrape(app, headers=forwarded, environ_overrides={"REMOTE_ADDR": peer})
        assert answer.status_code == 403, peer


def test_with_a_token_everybody_needs_it(own_app: Application) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, metrics_token="a scraper's own"
    ) as closed:
        assert scrape(closed).status_code == 401
        assert scrape(closed, headers=bearer(own_app.token())).status_code == 401
        away = {"REMOTE_ADDR": "203.0.113.9"}
        right = scrape(closed, headers=bearer("a scraper's own"), environ_overrides=away)
        assert right.status_code == 200


def test_metrics_name_nobody_and_no_business(app: Application) -> None:
    app.client().get("/api/customers")
    text = scrape(app).get_data(as_text=True).lower()
    assert app.alpha.canary not in text and app.alpha.slug not in text


def report(**changes: Any) -> dict[str, Any]:
    pool = dict.fromkeys((
        "requests_num", "requests_queued", "requests_errors", "connections_num", "connections_errors", "returns_bad",
        "connections_lost", "requests_wait_ms", "usage_ms", "connections_ms", "pool_min", "pool_max", "pool_size",
        "pool_available", "requests_waiting",
    ), 0)  # fmt: skip
    names = (
        "evictions",
        "expirations",
        "invalidations",
        "loads",
        "stale",
        "total_entries",
        "bytes",
        "max_bytes",
    )
    answers = {"requests": 0, "errors": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
    return {
        "slot": 0, "answers": answers, "requests": [], "queries": [], "pool": pool, "memory_bytes": 1,
        "cache": {**dict.fromkeys(names, 0), "endpoints": {}}, "cpu_seconds": 0.0, "threads": 1, "change_lag": 0.0,
        **changes,
    }  # fmt: skip


def test_a_worker_goes_on_in_the_series_of_the_one_it_replaced() -> None:
    def worker(pid: int, started: float, memory: int, slot: int | None) -> dict[str, Any]:
        found = report(memory_bytes=memory, slot=slot)
        return {"machine": "m", "pid": pid, "started_at": started, "report": found}

    collector = Workers([worker(12, 20.0, 222, 0), worker(11, 10.0, 111, 0), worker(13, 5.0, 333, None)])
    (memory,) = [family for family in collector.collect() if family.name == "process_resident_memory_bytes"]
    assert {sample.labels["worker"]: sample.value for sample in memory.samples} == {"0": 222, "13": 333}


def test_bytes_of_disks_and_network_are_in_the_metrics(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this machine shows of them: some containers hide their disks."""
    disk, network = (
        SimpleNamespace(read_bytes=11, write_bytes=22),
        SimpleNamespace(bytes_recv=33, bytes_sent=44),
    )
    monkeypatch.setattr(machine.psutil, "disk_io_counters", lambda: disk)
    monkeypatch.setattr(machine.psutil, "net_io_counters", lambda: network)
    samples = scraped(app)
    names = ("disk_read", "disk_written", "network_received", "network_sent")
    assert [value(samples, f"machine_{name}_bytes_total") for name in names] == [11, 22, 33, 44]


def test_the_machine_tells_processors_memory_and_disks() -> None:
    metrics = get_system_metrics()
    assert (
        metrics["cpu_seconds"]["user"] > 0 and metrics["memory_bytes"] > metrics["memory_available_bytes"] > 0
    )
    assert metrics["disk_free_bytes"] > 0 and metrics["threads"] >= 1
