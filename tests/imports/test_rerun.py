"""A second import straight after the first of a new business, while statistics still know none of its rows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import TextIO

import psycopg2
import pytest

from opsboard.imports import run
from opsboard.imports.progress import PlainLines
from opsboard.imports.run import queries
from tests.imports.workshop import Workshop

MAPPING = """
[files.log]
path = "log.csv"
[tables.machines]
file = "log"
external_id = "{machine}"
distinct = true
[tables.machines.columns]
name = "{machine}"
[tables.jobs]
file = "log"
external_id = "{job}"
distinct = "first"
[tables.jobs.columns]
job_number = "{job}"
title = "{job}"
[tables.job_steps]
file = "log"
external_id = "{job}-{step}"
[tables.job_steps.parents]
job = "{job}"
machine = "{machine}"
[tables.job_steps.columns]
step_order = "{step}"
"""
READ = """
SELECT sum(seq_tup_read) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'job_steps')
FROM pg_stat_user_tables
WHERE relname = 'job_steps'
"""


class Told(PlainLines):
    """Progress that is kept."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.words: list[str] = []

    def say(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture
def log(workshop: Workshop) -> Workshop:
    """A business with one file of jobs and their steps."""
    return replace(workshop, mapping=MAPPING)


def write(log: Workshop, jobs: int) -> None:
    lines = (f"J{job},{step},M{step}\n" for job in range(jobs) for step in (1, 2))
    (log.folder / "log.csv").write_text("job,step,machine\n" + "".join(lines))


@pytest.mark.parametrize("jobs", [1_500, pytest.param(50_000, marks=pytest.mark.slow)])
def test_a_second_import_reads_each_stored_row_a_few_times(
    log: Workshop, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    # Killed before it renewed the statistics, for example.
    monkeypatch.setattr(run, "_follow_up", lambda connection, tables: None)
    write(log, jobs)
    log.run()
    (before,) = log.rows(READ)[0]
    assert {(one.inserted, one.updated) for one in log.run().tables} == {(0, 0)}
    assert log.rows(READ)[0][0] - before < 20 * 2 * jobs


def test_statistics_know_what_was_filled(log: Workshop) -> None:
    write(log, 100)
    log.run()
    assert log.rows("SELECT reltuples::int FROM pg_class WHERE relname = 'job_steps'") == [(200,)]


def test_the_role_of_the_service_renews_statistics_of_tables_of_businesses_only(workshop: Workshop) -> None:
    analyzed = """
        SELECT t.relname
        FROM pg_stat_all_tables AS t
        JOIN pg_class AS c ON c.oid = t.relid AND NOT c.relisshared
        WHERE t.last_analyze IS NOT NULL
    """
    workshop.rows("SELECT pg_stat_reset()")
    with closing(psycopg2.connect(workshop.database.app_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            queries.analyze_imported.sql, {"tables": ["pg_class", "_yoyo_log", "jobs; DROP", "jobs"]}
        )
        connection.commit()
    assert workshop.rows(analyzed) == [("jobs",)]


def test_progress_says_which_check_of_how_many(log: Workshop) -> None:
    write(log, 3)
    told = Told(SimpleNamespace())  # type: ignore[arg-type]
    log.run(progress=told)
    assert [words for words in told.words if words.startswith("checking job_steps")] == [
        "checking job_steps, 1 of 6: values",
        "checking job_steps, 2 of 6: keys that occur twice",
        "checking job_steps, 3 of 6: job and step_order that occur twice",
        "checking job_steps, 4 of 6: job and step_order that are taken",
        "checking job_steps, 5 of 6: job that is not there",
        "checking job_steps, 6 of 6: machine that is not there",
    ]
