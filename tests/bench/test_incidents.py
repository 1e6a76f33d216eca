"""Verdicts on incidents: gaps between answers, failures, and a table of bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsboard.config import load_config
from opsboard_bench.asking import Answered
from opsboard_bench.environment import Bench
from opsboard_bench.incidents.away import figures
from opsboard_bench.incidents.finding import Finding
from opsboard_bench.measures import idle
from opsboard_bench.measures.incidents import table
from opsboard_bench.one_url import Load
from opsboard_bench.options import QUICK
from opsboard_bench.run import BY_NAME, MEASURES, usual


def test_a_gap_may_be_before_the_first_answer_between_two_or_after_the_last() -> None:
    answered = Answered(at=[1.0, 1.1, 1.5, 9.0])
    assert answered.longest_gap(0.9, 1.5) == pytest.approx(400)
    assert answered.longest_gap(0.0, 1.1) == pytest.approx(1000)
    assert answered.longest_gap(1.0, 3.5) == pytest.approx(2000)


def test_broken_connections_and_errors_of_ours_are_failures() -> None:
    assert Answered(statuses=[200, 401, 500, 503], broken=2).failed == 4


def test_each_finding_is_a_row_and_a_promise_on_its_side() -> None:
    made = table([Finding("slow", 20, 21, "ms"), Finding("rate", 0.5, 0.7, at_least=True)])
    assert [row.label for row in made.rows] == ["slow (ms)", "rate"]
    assert [(one.bound, one.at_least) for one in made.promises] == [(20, False), (0.5, True)]


def test_answers_of_another_status_are_counted_while_the_database_is_away() -> None:
    kept, errors = Load(latencies=[1.0, 2.0, 30.0]), Load(latencies=[5.0, 6.0])
    kept.statuses.update([200, 200, 503])
    errors.statuses.update([503, 500])
    found = {one.words: one.value for one in figures("Database frozen", 0.6, kept, errors)}
    assert found["Database frozen: cached answers that are not 200"] == 1
    assert found["Database frozen: other answers than 503"] == 1
    assert found["Database frozen: cached answers, p50"] == 2.0


def test_they_are_measured_only_by_name() -> None:
    assert set(usual()) | set(BY_NAME) == set(MEASURES) and not set(usual()) & set(BY_NAME)


def test_an_idle_fleet_is_judged_by_the_time_of_workers_and_postgres_together() -> None:
    bench = Bench(load_config({}, None), QUICK, Path(), lambda _: None)
    found = idle.table(bench, [(9.5, 0.25, 0.5), (16.0, 0.75, 0.5)])
    assert [(one.bound, list(one.values), one.at_least) for one in found.promises] == [
        (15.0, [9.5, 16.0], False),
        (1.0, [0.75, 1.25], False),
    ]


@pytest.mark.slow
def test_a_quick_look_at_every_incident(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    command = [
        sys.executable,
        "-m",
        "opsboard.cli",
        "bench",
        "--quick",
        "--only",
        "incidents",
        "--json",
        str(kept),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(kept.read_text())["tables"]
    assert len(found["promises"]) > 20
