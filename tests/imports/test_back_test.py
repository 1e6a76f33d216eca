"""A past day of an imported business: cut out of all its records, it equals the import as of that day."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner

from opsboard.cli import opsboard
from opsboard.commands.back_test import spread
from opsboard.commands.back_test_cut import (
    Business,
    Came,
    Predicted,
    Promised,
    ask_cut,
    cut,
    find_business,
)
from opsboard.commands.back_test_report import promise_score, reliability, risk_score
from opsboard.errors import CommandError
from tests.features.generated_shops import generated_shop
from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

FIRST = dt.datetime(2025, 1, 1)
AS_OF = dt.date(2025, 9, 15)
TABLES = """
[tables.processes]
file = "f"
external_id = "{Process}"
distinct = true
[tables.processes.columns]
name = "{Process}"

[tables.jobs]
file = "f"
external_id = "{No}"
distinct = "first"
later = "LATER"
stages = [
    { status = "draft" },
    { status = "active", since = "started_at" },
    { status = "completed", since = "completed_at" },
]
[tables.jobs.columns]
job_number = "{No}"
title = "{No}"
due_date = "{Due}"
started_at = "{Begun}"
completed_at = "{JobEnded}"
created_at = "{Begun}"

[tables.job_steps]
file = "f"
external_id = "{No}-{Step}"
later = "LATER"
stages = [{ status = "pending" }, { status = "completed", since = "completed_at" }]
[tables.job_steps.parents]
job = "{No}"
process = "{Process}"
[tables.job_steps.columns]
step_order = "{Step}"
completed_at = "{Ended}"
created_at = "{Begun}"
"""


def shop_file() -> str:
    """A line for each step of a generated shop: a year of jobs that are due eight days after they began."""
    lines = ["No,Begun,Due,JobEnded,Step,Process,Ended"]

    def time(day: float) -> dt.datetime:
        return (FIRST + dt.timedelta(days=day)).replace(microsecond=0)

    for number, job in enumerate(generated_shop(300, lambda day: 1.9), 1):
        due = (time(job.begun) + dt.timedelta(days=5)).date()
        for step, (process, end) in enumerate(zip(job.routing, job.ends, strict=True), 1):
            lines.append(
                f"{number},{time(job.begun)},{due},{time(job.ends[-1])},{step},P{process},{time(end)}"
            )
    return "\n".join(lines) + "\n"


def answers(sheet: Sheet, day: dt.date | None) -> tuple[Any, Any]:
    """The answers of the statements to the tables as they are stored, or to the cut of a day."""
    with closing(psycopg2.connect(sheet.workshop.database.app_url)) as connection:
        business = find_business(connection, "mill")
        connection.autocommit = False
        with connection.cursor() as cursor:
            if day:
                cut(cursor, business, day)
            else:
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(business.id),))
            ids = [number for (number,) in sheet.rows("SELECT id FROM processes ORDER BY name")]
            return ask_cut(cursor, business, ids)


@pytest.mark.parametrize("later", ["leave_out", "keep"])
def test_the_cut_of_a_day_equals_the_import_as_of_that_day(sheet: Sheet, later: str) -> None:
    text, tables = shop_file(), TABLES.replace("LATER", later)
    sheet.run(text, tables, as_of=AS_OF)
    history, listed = answers(sheet, None)
    assert len(history["jobs"]) > 400
    assert any(ended is None for _, ended, *_ in history["jobs"])
    # Drafts of later days are listed, as they are stored; they did not exist that day.
    known = {
        number
        for (number,) in sheet.rows("SELECT job_number FROM jobs WHERE created_at < '2025-09-16 00:00+02'")
    }
    listed = [job for job in listed if job["job_number"] in known]
    assert listed
    sheet.run(text, tables)
    cut_history, cut_listed = answers(sheet, AS_OF)
    assert cut_history == history
    assert cut_listed == listed
    # And nothing of it is stored.
    assert sheet.rows("SELECT as_of FROM tenants") == [(None,)]
    assert answers(sheet, None)[0] != history


def test_the_command_prints_promises_and_risks_beside_what_came(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet.run(shop_file(), TABLES.replace("LATER", "leave_out"))
    monkeypatch.setenv("DATABASE_URL", sheet.workshop.database.app_url)
    arguments = ["back-test", "--tenant", "mill", "--from", "2025-08-01", "--to", "2025-09-15", "--days", "2"]
    printed = CliRunner().invoke(opsboard, arguments)
    assert printed.exit_code == 0, printed.output
    lines = printed.stdout.splitlines()
    assert [line.split("|")[1:3] for line in lines[2:5]] == [
        [" with processes ", f" {confidence:g} "] for confidence in (0.5, 0.8, 0.9)
    ]
    begun = """
        SELECT count(*) FROM jobs
        WHERE (created_at AT TIME ZONE 'Europe/Berlin')::date - '2025-08-01'::date BETWEEN 1 AND 7
            OR (created_at AT TIME ZONE 'Europe/Berlin')::date - '2025-09-15'::date BETWEEN 1 AND 7
    """
    ((jobs,),) = sheet.rows(begun)
    every = next(line for line in lines if line.startswith("| without processes | 0.8"))
    assert sum(int(every.split("|")[place]) for place in (3, 9)) == jobs
    assert any(line.startswith("| all |") for line in lines)
    assert any(line.startswith("expected calibration error") for line in lines)


def test_scores_are_those_worked_out_by_hand() -> None:
    came = [
        Came((1,), 3, True),
        Came((1,), 5, True),
        Came((1,), 9, True),
        Came((1,), 4, False),
        Came((1,), 9, False),
    ]
    answer = {"days": 5, "plain": {"days": 9}}
    score = promise_score(
        [
            Promised("with processes", 0.8, answer, came),
            Promised("with processes", 0.8, {"days": None, "plain": {"days": None}}, came),
        ]
    )
    # Of the job that is four days old it is not known yet.
    assert (score.jobs, score.without_date) == (4, 5)
    assert (score.kept, score.kept_a_day_sooner, score.days) == (0.5, 0.25, 5)
    assert (score.plain_kept, score.plain_days) == (0.75, 9)
    risks = [Predicted(0.8, 0.5, 0.4, True), Predicted(0.2, 0.5, 0.4, False), Predicted(0.8, 0.5, 0.4, False)]
    risk = risk_score(risks)
    assert risk is not None
    assert (risk.jobs, round(risk.predicted, 3), round(risk.came, 3)) == (3, 0.6, 0.333)
    assert round(risk.brier, 3) == round((0.04 + 0.04 + 0.64) / 3, 3)
    assert risk.brier_of_days_left == 0.25
    # One of two at 0.8 and none at 0.2: 0.3 * 2/3 + 0.2 * 1/3.
    assert "expected calibration error 0.267" in list(reliability(risks))
    assert risk_score([]) is None


def test_days_are_spread_from_the_first_to_the_last() -> None:
    first = dt.date(2026, 1, 1)
    assert spread(first, dt.date(2026, 1, 31), 3) == [first, dt.date(2026, 1, 16), dt.date(2026, 1, 31)]
    assert spread(first, first, 12) == spread(first, dt.date(2026, 2, 1), 1) == [first]
    with pytest.raises(CommandError):
        spread(first, dt.date(2025, 1, 1), 2)


def test_a_business_that_is_not_there_is_told(sheet: Sheet) -> None:
    with closing(psycopg2.connect(sheet.workshop.database.app_url)) as connection:
        assert isinstance(find_business(connection, "mill"), Business)
        with pytest.raises(CommandError, match="no business nobody"):
            find_business(connection, "nobody")
