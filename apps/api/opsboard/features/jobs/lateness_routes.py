"""/api/jobs/at-risk and what belongs to it: which jobs may end late, how far to believe it, what to promise."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field

from opsboard.cache.body import Body
from opsboard.features.jobs.area import area, sql
from opsboard.features.jobs.delays import delays_document, late_document
from opsboard.features.jobs.late_schemas import LateJobs
from opsboard.features.jobs.lateness_schemas import (
    Calibration,
    Delays,
    JobsAtRisk,
    LatenessRisk,
    PromiseDate,
)
from opsboard.features.jobs.promise_document import promise_document
from opsboard.features.shapes import Priority
from opsboard.web.arguments import SPLIT, Arguments, Day, Id, OneOrMore
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route, fresh
from opsboard.web.listing import ListArguments

# Half a year of jobs, and older ones if these are few: enough for shares, and as many for a shop of any size.
RISK_SAMPLE = {"days": 182, "read_per_day": 200, "kept_per_day": 6, "older": 0, "at_least": 1000}
# So many cases weighs what is known of jobs that are less alike.
PRIOR = 10
HELD_OUT = 0.25
# With fewer jobs that were due there is no telling how good a guess is.
FEWEST = 40
# Read of the steps that wait at a process, and of those it has finished lately.
MOST_STEPS = 10_000
# Open jobs whose steps stand in the queues; older ones are left out.
MOST_OPEN_JOBS = 5000
# Half a year of jobs: enough to check promises of past days, and as many for a shop of any size.
SAMPLE = {"days": 182, "read_per_day": 200, "kept_per_day": 18, "older": 500, "at_least": 0}
LEARNED = {**RISK_SAMPLE, "prior": PRIOR, "held_out": 0}


@area.list("/at-risk", JobsAtRisk, always={"ahead": "true", **LEARNED})
class ListAtRisk(ListArguments, query=sql.list_at_risk, default_sort="due_date"):
    """Open jobs that are not late yet, soonest due first, each with its risk of ending late."""

    status: OneOrMore[Literal["draft", "active", "on_hold"]] = None
    priority: OneOrMore[Priority] = None
    customer_id: Id | None = None
    due_to: Day | None = None


class Routing(Arguments):
    """The processes of a new job."""

    process_ids: Annotated[
        tuple[Id, ...],
        SPLIT,
        Field(max_length=500, description="A process for each step, in order; none: by past jobs alone."),
    ] = ()
    has_steps: bool | None = Field(
        None,
        description="Without processes: rest on past jobs with steps only, or on those without; absent: on all.",
    )
    confidence: Annotated[
        float, Field(ge=0.5, le=0.99, description="The share of such promises that should be kept.")
    ] = 0.8


@area.get("/<id:job_id>/lateness-risk")
@area.output(LatenessRisk)
@fresh
def lateness_risk(job_id: int) -> Body:
    """The risk that one job ends late, and the past jobs it is based on."""
    return document(sql.lateness_risk, job_id=job_id, **LEARNED)


@area.get("/risk-calibration")
@area.output(Calibration)
@cache_route(ttl=300)
def risk_calibration() -> Body:
    """The calibration of the risk: predictions compared with the newest finished jobs, which it had not seen."""
    return document(sql.risk_calibration, **{**LEARNED, "held_out": HELD_OUT}, fewest=FEWEST)


@area.get("/promise-date")
@area.input(Routing, location="query", arg_name="routing")
@area.output(PromiseDate)
@cache_route(ttl=60)
def promise_date(routing: Routing) -> Body:
    """A date to promise for a new job, and its basis."""
    found = document(sql.promise_date, process_ids=list(routing.process_ids), most=MOST_STEPS, **SAMPLE)
    answer = promise_document(
        json.loads(found.identity), routing.process_ids, routing.confidence, routing.has_steps, MOST_STEPS
    )
    return Body(json.dumps(answer).encode(), found.tables)


class DelaysOf(Arguments):
    """The open jobs whose delays are asked for."""

    job_ids: Annotated[
        tuple[Id, ...],
        SPLIT,
        Field(
            max_length=100,
            description="None: the open jobs that are not late yet, soonest due first, at most 100.",
        ),
    ] = ()


@area.get("/delays")
@area.input(DelaysOf, location="query", arg_name="wanted")
@area.output(Delays)
@cache_route(ttl=60)
def delays(wanted: DelaysOf) -> Body:
    """The step and queue that take each open job longest, in days."""
    found = document(sql.delays, most=MOST_STEPS, most_jobs=MOST_OPEN_JOBS)
    answer = delays_document(json.loads(found.identity), frozenset(wanted.job_ids))
    return Body(json.dumps(answer).encode(), found.tables)


class LateAndWhy(Arguments):
    limit: Annotated[int, Field(ge=1, le=50, description="Jobs of each kind.")] = 8
    stuck_days: Annotated[
        int, Field(ge=1, le=365, description="A job is stuck when no step has moved for so many days.")
    ] = 7


@area.get("/late")
@area.input(LateAndWhy, location="query", arg_name="wanted")
@area.output(LateJobs)
@cache_route(ttl=60)
def late_jobs(wanted: LateAndWhy) -> Body:
    """Jobs that are late, may end late or are stuck, each with the step, queue, machine and person it waits for."""
    found = document(
        sql.late_jobs,
        most=MOST_STEPS,
        most_jobs=MOST_OPEN_JOBS,
        limit=wanted.limit,
        stuck_days=wanted.stuck_days,
        **LEARNED,
    )
    return Body(json.dumps(late_document(json.loads(found.identity))).encode(), found.tables)
