"""Fills an empty database with two businesses: with everything or, when it is stopped before the end, with nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsboard.auth.passwords import hash_password
from opsboard.db.session import Cursor, connected, transaction
from opsboard.demo.bulk import Report, unhindered
from opsboard.demo.catalogue import BUSINESSES, PASSWORD, Business
from opsboard.demo.names import pick_names
from opsboard.demo.shop import add_shop
from opsboard.demo.statements import fetch, sql
from opsboard.demo.talk import add_talk

LAST_DAY = 425  # Jobs are made on days 0, fourteen months ago, to 425, today.
BATCH = 20_000
JOBS_PER_LEAD = 20
FEWEST_LEADS, MOST_LEADS = 120, 1200

Parameters = dict[str, Any]


@dataclass
class Progress:
    """How far it is; ids are given out over both businesses."""

    report: Report
    total: int
    jobs: int = 0
    steps: int = 0


def generate(url: str, jobs: int, moment: datetime, report: Report) -> bool:
    """Make `jobs` jobs and all that belongs to them, as the owner; False when there is a business already.

    The same number on the same day makes the same rows, except for password hashes and the times of what
    happened today: those lie before `moment`.
    """
    with connected(url, "demo") as connection:
        with transaction(connection) as cursor:
            if has_business(cursor):
                return False
            fill(cursor, Progress(report, jobs), moment)
        report("statistics", 0, 1)
        with connection.cursor() as cursor:
            cursor.execute(sql.tidy.sql)
        report("statistics", 1, 1)
    return True


def has_business(cursor: Cursor) -> bool:
    """Return True if there is any business; looks for the demo's own first, because the other look needs a lock."""
    cursor.execute(sql.take_turns.sql)
    if fetch(cursor, "find_business", {"slug": BUSINESSES[0].slug}):
        return True
    (count,) = fetch(cursor, "count_tenants")[0]
    cursor.execute(sql.bind_owner_again.sql)
    return bool(count)


def fill(cursor: Cursor, progress: Progress, moment: datetime) -> None:
    """Everything of both businesses, in the transaction of `cursor`."""
    made = []
    with unhindered(cursor, progress.report):
        cursor.execute(sql.begin_ids.sql)
        password_hash = hash_password(PASSWORD)
        for business, jobs in zip(BUSINESSES, shares(progress.total), strict=True):
            parameters = open_business(cursor, business, jobs, moment)
            parameters |= add_shop(cursor, business, parameters, password_hash)
            add_jobs(cursor, parameters, progress)
            made.append(parameters)
        cursor.execute(sql.continue_ids.sql, {"next_job": progress.jobs + 1, "next_step": progress.steps + 1})
    cursor.execute(sql.analyse.sql)
    for business, parameters in zip(BUSINESSES, made, strict=True):
        for query in (
            sql.count_jobs,
            sql.bind_tenant,
            sql.continue_job_numbers,
            sql.create_calendar,
            sql.notify_assignees,
            sql.notify_managers,
            sql.add_work_records,
            sql.add_machine_stops,
            sql.add_problems,
            sql.log_changes,
            sql.add_leads,
            sql.add_approvals,
            sql.add_campaigns,
            sql.add_campaign_events,
            sql.add_suppressions,
            sql.add_workflows,
            sql.add_journeys,
            sql.add_journey_contacts,
            sql.add_access,
            sql.add_webhooks,
            sql.add_archived_customers,
            sql.add_archived_machines,
        ):
            cursor.execute(query.sql, {**parameters, "planner": parameters["planners"][0]})
        add_talk(cursor, business, parameters)


def shares(jobs: int) -> list[int]:
    """How many jobs each business has; together all of them."""
    first = round(jobs * BUSINESSES[0].share)
    return [first, jobs - first]


def open_business(cursor: Cursor, business: Business, jobs: int, moment: datetime) -> Parameters:
    """The business, its calendar and what the statements about it are given."""
    parameters: Parameters = {
        "slug": business.slug,
        "name": business.name,
        "time_zone": business.time_zone,
        "moment": moment,
        "jobs": jobs,
        "last_day": LAST_DAY,
        "names": (names := pick_names(business, seed=BUSINESSES.index(business))),
        "surnames": names.surnames,
        "cities": names.cities,
        "leads": min(max(jobs // JOBS_PER_LEAD, FEWEST_LEADS), MOST_LEADS),
    }
    names_of_calendar = ("today", "midnight", "elapsed", "days_over")
    parameters |= zip(names_of_calendar, fetch(cursor, "read_calendar", parameters)[0], strict=True)
    parameters["saturday"] = LAST_DAY + 1 - parameters["days_over"]
    cursor.execute(sql.create_calendar.sql, parameters)
    cursor.execute(sql.create_plan.sql, parameters)
    ((parameters["tenant_id"],),) = fetch(cursor, "add_tenant", parameters)
    return parameters


def add_jobs(cursor: Cursor, parameters: Parameters, progress: Progress) -> None:
    """Jobs and their steps, a batch at a time."""
    parameters = {**parameters, "job_base": progress.jobs}
    for first in range(1, parameters["jobs"] + 1, BATCH):
        last = min(first + BATCH - 1, parameters["jobs"])
        parameters |= {"first": first, "last": last, "step_base": progress.steps}
        for query in (sql.plan_jobs, sql.add_jobs, sql.add_steps):
            cursor.execute(query.sql, parameters)
        ((progress.steps,),) = fetch(cursor, "last_step")
        progress.jobs += last - first + 1
        progress.report("jobs", progress.jobs, progress.total)
