"""A business as it was at the end of a past day, asked by the statements of the service, and what came afterwards."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import Any, NamedTuple

from opsboard.db.list_statement import Page, compose
from opsboard.db.queries import load_queries
from opsboard.db.session import Connection, Cursor, transaction
from opsboard.errors import CommandError
from opsboard.features.jobs.area import sql as jobs
from opsboard.features.jobs.lateness_routes import LEARNED, MOST_STEPS, SAMPLE
from opsboard.features.jobs.promise_document import promise_document

sql = load_queries("opsboard.commands")
MOST_JOBS = 1_000_000
CONFIDENCES = (0.5, 0.8, 0.9)
# Where the ranges of days left begin, as in the risk.
RANGES = (0, 1, 2, 4, 8, 15, 31, 61)


class Business(NamedTuple):
    id: int
    time_zone: str
    ends: dt.datetime
    """Until when it is known what happened."""


class Came(NamedTuple):
    """A job that began in the week after. `days` is its lead time, or its age where it is still open."""

    routing: tuple[int, ...]
    days: float
    is_ended: bool


class Promised(NamedTuple):
    """A promise for some jobs of the week: how it was asked for, its answer and what came."""

    asked: str
    confidence: float
    answer: dict[str, Any]
    came: list[Came]


class Predicted(NamedTuple):
    """An open job that was not late yet: its risk, the share of its days left alone, and whether it ended late."""

    risk: float
    by_days_left: float
    base_rate: float
    is_late: bool


class DayTest(NamedTuple):
    day: dt.date
    promised: list[Promised]
    predicted: list[Predicted]


def find_business(connection: Connection, slug: str) -> Business:
    with transaction(connection) as cursor:
        cursor.execute("SELECT set_config('app.tenant_slug', %s, true)", (slug,))
        cursor.execute(sql.find_business.sql, {"slug": slug})
        row = cursor.fetchone()
    if row is None:
        raise CommandError(f"There is no business {slug}.")
    return Business(*row)


def cut(cursor: Cursor, business: Business, day: dt.date) -> None:
    """Hide the tables of jobs behind temporary ones with what existed at the end of the day, in this transaction."""
    given = {"tenant_id": business.id, "day": day}
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(business.id),))
    for query in (sql.cut_tenants, sql.cut_jobs, sql.cut_job_steps, sql.index_cut):
        cursor.execute(query.sql, given)


def ask_cut(cursor: Cursor, business: Business, process_ids: list[int]) -> tuple[dict[str, Any], list[Any]]:
    """Return what the service's own statements answer: the history of promises, and the open jobs with their risk."""
    given = {"tenant_id": business.id, "process_ids": process_ids, "most": MOST_STEPS, **SAMPLE}
    cursor.execute(jobs.promise_date.sql, given)
    ((history,),) = cursor.fetchall()
    page = Page("due_date", False, MOST_JOBS, counted=False)
    statement, asked = compose(jobs.list_at_risk, {"ahead": "true", **LEARNED}, page)
    cursor.execute(statement, {"tenant_id": business.id, **asked})
    ((listed, *_),) = cursor.fetchall()
    return json.loads(history), json.loads(listed)["items"]


def day_test(connection: Connection, business: Business, day: dt.date) -> DayTest:
    """Ask as of a day, and compare with what came. Nothing is stored."""
    with transaction(connection) as cursor:
        cut(cursor, business, day)
        given = {
            "tenant_id": business.id, "time_zone": business.time_zone, "ends": business.ends, "day": day,
        }  # fmt: skip
        cursor.execute(sql.begun_after.sql, given)
        came = [
            Came(tuple(process or 0 for process in routing), days, ended) for routing, days, ended in cursor
        ]
        processes = sorted({process for job in came for process in job.routing if process})
        history, open_jobs = ask_cut(cursor, business, processes)
        cursor.execute(sql.finished_with_due_date.sql, given)
        past = cursor.fetchall()
        cursor.execute(sql.ended_late.sql, {**given, "ids": [job["id"] for job in open_jobs]})
        is_late = dict(cursor.fetchall())
        cursor.connection.rollback()
    return DayTest(day, promises(history, came), predictions(open_jobs, past, is_late))


def promises(history: dict[str, Any], came: list[Came]) -> list[Promised]:
    groups: defaultdict[tuple[str, tuple[int, ...], bool | None], list[Came]] = defaultdict(list)
    for job in came:
        groups["without processes", (), None].append(job)
        groups["has_steps" if job.routing else "no steps", (), bool(job.routing)].append(job)
        if job.routing and all(job.routing):
            groups["with processes", job.routing, None].append(job)
    made = []
    for (asked, routing, has_steps), group in groups.items():
        found = {**history, "processes": [one for one in history["processes"] if one["id"] in routing]}
        for confidence in CONFIDENCES:
            answer = promise_document(found, routing, confidence, has_steps, MOST_STEPS)
            made.append(Promised(asked, confidence, answer, group))
    return made


def predictions(
    open_jobs: list[Any], past: list[tuple[int, int]], is_late: dict[int, bool | None]
) -> list[Predicted]:
    """Return the risks of the jobs of which it is known by now whether they ended late."""
    base_rate = (sum(last < 0 for _, last in past) + 1) / (len(past) + 2)
    shares = {}
    for place, least in enumerate(RANGES):
        longest = RANGES[place + 1] - 1 if place + 1 < len(RANGES) else 1_000_000
        there = [last < 0 for first, last in past if first >= least and last <= longest]
        shares[least] = (sum(there) + 10 * base_rate) / (len(there) + 10)
    return [
        Predicted(
            job["risk"], shares[max(least for least in RANGES if least <= job["days_left"])], base_rate, late
        )
        for job in open_jobs
        if job["risk"] is not None and (late := is_late[job["id"]]) is not None
    ]
