"""The utilities that measure: each as docs/measuring.md shows it, and where the service uses it itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from opsboard.db.queries import load_queries
from opsboard.observability import record
from opsboard.observability.logs import configure_logs
from opsboard.observability.machine import ProcessorUse
from opsboard.observability.performance import (
    CacheStatistics,
    QueryCounter,
    cache_stats,
    get_system_metrics,
    log_system_metrics,
    memory_tracker,
    timeit,
    timer,
    track_memory,
)
from opsboard.web.access import open_to_all
from opsboard.web.services import services
from tests.application import Application

MEGABYTES_32 = 32 << 20
sql = load_queries("opsboard.features.health")


@pytest.fixture(autouse=True)
def every_level() -> Iterator[None]:
    """Log from info on, whatever an application of another test has set."""
    before = structlog.get_config()
    configure_logs("info", "text")
    yield
    structlog.configure(**before)


def test_timeit_logs_what_a_call_took_and_changes_nothing_of_it() -> None:
    @timeit
    def double(number: int) -> int:
        """Twice the number."""
        return 2 * number

    with capture_logs() as lines:
        assert double(number=21) == 42
    assert (double.__name__, double.__doc__) == ("double", "Twice the number.")
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("timed", "info")
    assert line["what"].endswith("double") and 0 <= line["seconds"] < 60


def test_timeit_waits_for_the_end_of_a_coroutine() -> None:
    ended = []

    @timeit
    async def process_document(doc_id: int) -> int:
        await asyncio.sleep(0)
        ended.append(doc_id)
        return doc_id

    with capture_logs() as lines:
        coroutine = process_document(7)
        assert lines == []
        assert asyncio.run(coroutine) == 7  # type: ignore[arg-type]
    assert ended == [7]
    assert [line["event"] for line in lines] == ["timed"]


def test_timer_logs_a_block_that_fails_too() -> None:
    with capture_logs() as lines, pytest.raises(ZeroDivisionError), timer("database operation") as timing:
        raise ZeroDivisionError
    assert [(line["event"], line["what"]) for line in lines] == [("timed", "database operation")]
    assert timing.seconds > 0


def test_track_memory_logs_before_after_and_difference() -> None:
    held = []

    @track_memory
    def load_large_file() -> int:
        held.append(bytearray(b"x" * MEGABYTES_32))
        return len(held[0])

    with capture_logs() as lines:
        assert load_large_file() == MEGABYTES_32
    (line,) = lines
    assert (line["event"], line["what"].rpartition(".")[2]) == ("memory", "load_large_file")
    assert line["delta_mb"] >= 24
    assert line["after_mb"] - line["before_mb"] == pytest.approx(line["delta_mb"], abs=0.2)


def test_memory_tracker_sees_the_peak_of_allocations_when_asked() -> None:
    with capture_logs() as lines, memory_tracker("file processing", allocations=True) as use:
        bytearray(MEGABYTES_32)
    assert use.peak is not None and MEGABYTES_32 <= use.peak < 2 * MEGABYTES_32
    assert not tracemalloc.is_tracing()
    assert lines[0]["peak_mb"] >= 32
    with capture_logs() as lines, memory_tracker("file processing"):
        assert not tracemalloc.is_tracing()
    assert "peak_mb" not in lines[0]


def test_memory_tracker_leaves_tracing_on_that_was_on() -> None:
    tracemalloc.start()
    try:
        with memory_tracker("file processing", allocations=True):
            bytearray(MEGABYTES_32)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_query_counter_counts_names_and_warns_above_its_threshold(app: Application) -> None:
    database = app.services.database
    with capture_logs() as lines, QueryCounter() as counter:
        for _ in range(11):
            database.fetch_unbound(sql.server)
    assert counter.count == 11
    assert counter.names == ["health.server"] * 11
    (line,) = [line for line in lines if line["event"] == "N+1 queries"]
    assert (line["log_level"], line["queries"], line["threshold"]) == ("warning", 11, 10)
    assert line["repeated"] == {"health.server": 11}
    with capture_logs() as lines, QueryCounter(threshold=1) as counter:
        database.fetch_unbound(sql.server)
    assert (counter.count, counter.repeated, lines) == (1, {}, [])
    assert record.current() is None


def test_a_timed_coroutine_counts_its_queries_and_warns_by_itself(app: Application) -> None:
    """The example of the report that asks for these names: `@timeit`, `QueryCounter()` and `counter.count > 10`."""
    told = []

    @timeit
    async def slow_function() -> None:
        with QueryCounter() as counter:
            for _ in range(12):
                app.services.database.fetch_unbound(sql.server)

        if counter.count > 10:
            told.append(f"Too many queries: {counter.count}")

    with capture_logs() as lines:
        asyncio.run(slow_function())  # type: ignore[arg-type]
    assert told == ["Too many queries: 12"]
    assert [line["event"] for line in lines if line["event"] in ("N+1 queries", "timed")] == [
        "N+1 queries",
        "timed",
    ]


def test_query_counter_counts_only_its_block_of_a_request() -> None:
    with record.recording() as current:
        current.query("jobs.list_jobs", 1.0)
        with QueryCounter(threshold=1) as counter, capture_logs() as lines:
            current.query("jobs.get_job", 1.0)
            assert counter.count == 1
        assert lines == []
        assert record.current() is current


@pytest.mark.repeats_queries
def test_a_request_with_one_statement_for_each_row_is_warned_of(own_app: Application) -> None:
    @open_to_all
    def planted() -> str:
        for _ in range(12):
            services().database.fetch_unbound(sql.server)
        return "done"

    own_app.flask.add_url_rule("/planted", view_func=planted)
    with capture_logs() as lines:
        answer = own_app.flask.test_client().get("/planted")
    assert answer.headers["X-Queries"] == '12;repeated="health.server"'
    assert [line["repeated"] for line in lines if line["event"] == "N+1 queries"] == [{"health.server": 12}]


def test_system_metrics_have_processors_memory_threads_and_disk() -> None:
    metrics = get_system_metrics()
    assert 0 <= metrics["cpu_percent"] <= 100
    assert 0 < metrics["process_memory_bytes"] < metrics["memory_bytes"]
    assert metrics["threads"] == threading.active_count()
    assert metrics["disk_free_bytes"] > 0
    with capture_logs() as lines:
        log_system_metrics()
    assert lines[0]["event"] == "system"
    assert {"cpu_percent", "memory_mb", "memory_percent", "threads", "disk_free_mb"} <= lines[0].keys()


def test_processor_use_is_that_since_the_last_look() -> None:
    class Times(tuple[float, ...]):
        idle = property(lambda self: self[1])

    use = ProcessorUse()
    use.percent(Times((100.0, 100.0)))
    assert use.percent(Times((103.0, 101.0))) == 75.0
    assert use.percent(Times((103.0, 101.0))) == 0.0


def test_the_profilers_of_the_document_can_be_called_as_written(tmp_path: Path) -> None:
    """cProfile over a small program; the process that py-spy looks at is found in tests/deploy/test_workers.py."""
    (tmp_path / "small.py").write_text("def slow():\n    return sum(range(1000))\nslow()\n")
    command = [sys.executable, "-m", "cProfile", "-s", "cumulative", "small.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "cumulative" in done.stdout and "(slow)" in done.stdout
    document = (Path(__file__).parents[2] / "docs" / "measuring.md").read_text()
    assert "python -m cProfile -s cumulative -m pytest" in document and "py-spy record" in document


def test_cache_statistics_count_and_report_the_hit_rate() -> None:
    cache: dict[str, Any] = {"there": 1}
    statistics = CacheStatistics("example")
    assert statistics.report()["hit_rate"] is None
    for key in ("there", "there", "there", "not there"):
        if key in cache:
            statistics.hit()
        else:
            statistics.miss()
    with capture_logs() as lines:
        assert statistics.report() == {"hits": 3, "misses": 1, "hit_rate": 0.75}
    assert lines == [
        {"event": "cache statistics", "log_level": "info", "cache": "example",
         "hits": 3, "misses": 1, "hit_rate": 0.75},
    ]  # fmt: skip


def test_cache_stats_is_used_as_the_report_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_stats, "hits", 0)
    monkeypatch.setattr(cache_stats, "misses", 0)
    cache: dict[int, str] = {}
    for key in [*range(150), *(number % 150 for number in range(850))]:
        if key in cache:
            cache_stats.hit()
        else:
            cache_stats.miss()
            cache[key] = "there"
    with capture_logs() as lines:
        cache_stats.report()
    (line,) = lines
    assert (line["hits"], line["misses"], line["hit_rate"]) == (850, 150, 0.85)
