"""Figures, promises and the verdict "slower", computed from given measurements."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsboard.config import load_config
from opsboard_bench.answers_table import costs_table, rates_table
from opsboard_bench.costs import Cost
from opsboard_bench.endpoint_ways import Claim, Endpoint, without
from opsboard_bench.endpoints_table import Measured as MeasuredEndpoint
from opsboard_bench.endpoints_table import endpoints_table
from opsboard_bench.environment import Bench
from opsboard_bench.figures import percentile
from opsboard_bench.measures import clears, freshness, writes
from opsboard_bench.options import QUICK, Options, choose_options
from opsboard_bench.processors import Cores
from opsboard_bench.reads import COUNTED, FOUR_STATEMENTS, ONE_PREPARED, ROLLUPS, VIEW
from opsboard_bench.rounds import Answers, Measured
from opsboard_bench.scenarios import HIT, MISS, NOT_MODIFIED, REFERENCE, SIMPLE, Contender
from opsboard_bench.session import Session
from opsboard_bench.sizes_table import misses_table, statements_table

SESSION = Session("token", [], '{"jobs": {"total": 12000}}')


def answers(hit: list[float]) -> Measured:
    rows = [Answers(scenario) for scenario in (REFERENCE, SIMPLE, HIT, NOT_MODIFIED)]
    for one, rates in zip(rows, ([1000, 1100, 1200], [300, 330, 360], hit, hit), strict=True):
        one.rates, one.cpu, one.busy = [*rates], [100, 100, 100], [0.1, 0.2, 0.3]
    return Measured(1, 8, Cores([], []), rows, [9000, 9000, 9000])


def test_a_hit_is_promised_against_the_bare_callable_and_against_the_usual_cache() -> None:
    table = rates_table(answers([950, 1045, 1140]), {"Gone": "no library"}, SESSION)
    found = {promise.words: promise for promise in table.promises}
    to_bare = found["Rate, cached hit to Bare WSGI callable, 1 worker"]
    assert to_bare.values == pytest.approx([0.95, 0.95, 0.95])
    assert to_bare.bound == 0.95
    to_simple = found["Rate, 304 to Flask-Caching SimpleCache, PyJWT, 1 worker"]
    assert to_simple.values == pytest.approx([950 / 300] * 3)
    assert to_simple.bound == 2.5
    assert table.rows[-1].missing == "no library"
    assert table.slower == [
        "A cached hit makes 0.95 (0.95 to 0.95) of the rate of: Bare WSGI callable, 1 worker."
    ]


def test_on_an_uneven_machine_promises_of_rates_are_doubted() -> None:
    steady, uneven = answers([950, 1045, 1140]), answers([950, 1045, 1140])
    uneven.rows[0].rates = [500, 1100, 1200]
    assert {promise.doubt for promise in rates_table(steady, {}, SESSION).promises} == {""}
    table = rates_table(uneven, {}, SESSION)
    assert {promise.doubt for promise in table.promises} == {"the machine was busy"}
    assert any("**The machine was busy**" in note for note in table.notes)


def test_a_hit_that_took_a_connection_breaks_its_promise() -> None:
    table = costs_table([Cost(HIT, 300, 0, 1), Cost(NOT_MODIFIED, 300, 0, 0), Cost(MISS, 300, 300, 300)])
    assert [(promise.bound, list(promise.values)) for promise in table.promises] == [(0, [1]), (0, [0])]


def test_growth_is_to_the_smallest_size_of_the_same_round() -> None:
    sizes = (10_000, 1_000_000, 10_000_000)
    times = {"`/api/dashboard/stats`": {10_000: [2.0, 4.0], 1_000_000: [2.2, 4.4], 10_000_000: [5.0, 8.0]}}
    promises = misses_table(sizes, times).promises
    assert [(promise.bound, list(promise.values)) for promise in promises] == [
        (1.5, pytest.approx([1.1, 1.1])),
        (2.0, pytest.approx([2.5, 2.0])),
    ]


def test_a_way_of_counting_that_is_faster_than_ours_is_named() -> None:
    times = {ROLLUPS: {10: [2.0], 20: [2.0]}, ONE_PREPARED: {10: [1.0], 20: [8.0]}}
    times |= {"Jobs by month": {10: [1.0], 20: [1.0]}, "Jobs by month" + COUNTED: {10: [3.0], 20: [3.0]}}
    times |= {label: {10: [9.0], 20: [9.0]} for label in (FOUR_STATEMENTS, VIEW)}
    times |= {"Materialized view, refresh": {10: [9.0], 20: [9.0]}}
    table = statements_table((10, 20), times)
    assert table.slower == [f"{ROLLUPS} takes longer than: {ONE_PREPARED} (2.0 times at 10 jobs)."]
    to_ours = {row.label: row.values["to_ours"] for row in table.rows}
    assert to_ours[ONE_PREPARED] == [4.0]
    assert to_ours["Jobs by month" + COUNTED] == [3.0]


def test_freshness_is_told_for_each_writer_and_all(tmp_path: Path) -> None:
    seen = freshness.Seen(workers=2, first=100)
    for worker, jobs in ((0, 100), (0, 101), (1, 101), (0, 102), (0, 101)):
        seen.note(worker, jobs)
    assert [sorted(at) for at in seen.at] == [[1, 2], [1]]
    assert seen.backwards == 1
    watching = freshness.Watching([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]], seen)
    table = freshness.table({freshness.ASKED[0]: watching})
    assert [row.values["lags"] for row in table.rows] == [[2], [2], [2], [6]]
    assert [list(promise.values) for promise in table.promises] == [[60.0], [1]]


def test_a_list_counts_jobs_as_the_numbers_do() -> None:
    numbers, a_list = freshness.ASKED
    assert numbers.total(b'{"jobs": {"total": 7}}') == a_list.total(b'{"items": [], "total": 7}') == 7


def test_a_clear_that_one_worker_did_not_obey_is_counted() -> None:
    table = clears.table(4, [(20.0, True), (30.0, False), (40.0, True)])
    assert table.rows[0].values["p50"] == [percentile([20.0, 30.0, 40.0], 0.5)]
    assert [list(promise.values) for promise in table.promises] == [[40.0], [1]]


def test_a_writers_ratio_is_of_the_same_round(tmp_path: Path) -> None:
    bench = Bench(load_config(), QUICK, tmp_path, lambda words: None)
    single = {"one": {"off": [100, 200], "on": [90, 100], "cpu_off": [10, 10], "cpu_on": [20, 10]}}
    table = writes.single_table(bench, single)
    assert table.rows[0].values["kept"] == [0.9, 0.5]
    assert table.rows[0].values["by_cpu"] == [0.5, 1.0]
    bulk = writes.bulk_table(bench, {"many": {"off": [100, 100], "on": [150, 170]}}, wrong=0)
    assert bulk.promises[0].values == [1.5, 1.7]


def test_a_claim_is_judged_by_the_ratio_of_what_it_is_about() -> None:
    endpoint = Endpoint(
        "Documents", (Claim("S2-17", 5000, 100), Claim("S2-35", 100, 2, "memory", "MB")), "documents.list_documents",
        "/api/documents", without("idx_documents_uploaded_at"),
    )  # fmt: skip
    one = MeasuredEndpoint(
        endpoint, times=[1, 2], times_before=[50, 98], answers=[101], statements=1, statements_before=3,
        memory=2048, memory_before=1024 * 100,
    )  # fmt: skip
    table = endpoints_table("endpoints-10", 10, [one])
    assert table.rows[0].values["ratio"] == [50, 49]
    assert "memory" in table.rows[0].values
    assert "gzip" not in table.rows[0].values, "it was not measured"
    verdicts, unreached, slower = table.notes
    assert "| S2-17 | time | 5,000 to 100 ms | 50.0 | **49.5** | **no** |" in verdicts
    assert "| S2-35 | memory | 100 to 2 MB | 50.0 | **50.0** | yes |" in verdicts
    assert unreached == "Ratios that are not reached at this size: Documents, time (49.5 of 50.0)."
    assert (
        slower == "Whole answers that take longer than the report's after its change: Documents (101.0 ms)."
    )
    assert [(promise.bound, list(promise.values)) for promise in table.promises] == [(1, [1])]


def test_a_peer_that_is_not_there_says_why() -> None:
    assert "no_such_library not installed" in Contender("x", libraries=("no_such_library",)).missing
    assert Contender("x", libraries=("json",)).missing == ""


def test_what_is_asked_for_by_name_goes_before_the_form() -> None:
    assert choose_options(quick=False, full=False, sizes=()) == Options()
    assert choose_options(quick=False, full=True, sizes=()).sizes[-1] == 10_000_000
    assert choose_options(quick=False, full=True, sizes=()).rows == (10_000, 1_000_000)
    assert choose_options(quick=True, full=False, sizes=(30, 20), rounds=3).sizes == (20, 30)
    assert choose_options(quick=True, full=False, sizes=(), rounds=3, jobs=None).rounds == 3
