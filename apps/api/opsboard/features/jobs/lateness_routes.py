"""/api/jobs/at-risk and what belongs to it: which jobs may end late, how far to believe it, what to promise."""

from __future__ import annotations

from typing import Annotated, Literal

from apiflask import APIBlueprint
from pydantic import Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.jobs.lateness_documents import Calibration, JobsAtRisk, LatenessRisk, PromiseDate
from opsboard.web.arguments import SPLIT, Arguments, Day, Id
from opsboard.web.document import document
from opsboard.web.documents import Priority
from opsboard.web.endpoint import cache_list, cache_route, fresh
from opsboard.web.listing import ListArguments, listing

# The area's one blueprint; routes.py goes on with it.
bp = APIBlueprint("jobs", __name__, url_prefix="/api/jobs", tag="Jobs")
sql = load_queries(__package__)

# Read of the finished jobs: enough for shares, and the same for a shop of any size.
NEWEST = 1000
# So many cases weighs what is known of jobs that are less alike.
PRIOR = 10
HELD_OUT = 0.25
# With fewer finished jobs there is no telling how good a guess is.
FEWEST = 40
# Read of the steps that wait at a process, and of those it has finished lately.
MOST_STEPS = 10_000
LEARNED = {"newest": NEWEST, "prior": PRIOR, "held_out": 0}


class ListAtRisk(ListArguments, query=sql.list_at_risk, default_sort="due_date"):
    status: Annotated[
        list[Literal["draft", "active", "on_hold"]] | None,
        SPLIT,
        Field(description="One or more, with commas between."),
    ] = None
    priority: Annotated[
        list[Priority] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    customer_id: Id | None = None
    due_to: Day | None = None


class NewJobsWay(Arguments):
    """What a new job would have to go through."""

    process_ids: Annotated[
        tuple[Id, ...],
        SPLIT,
        Field(max_length=50, description="A process for each step, in order; none: by past jobs alone."),
    ] = ()
    confidence: Annotated[
        float, Field(ge=0.5, le=0.99, description="How many of such promises shall be kept.")
    ] = 0.8


@bp.get("/at-risk")
@bp.input(ListAtRisk, location="query", arg_name="wanted")
@bp.output(JobsAtRisk)
@cache_list
def list_at_risk(wanted: ListAtRisk) -> Body:
    """Open jobs that are not late yet, soonest due first, each with its risk of ending late."""
    return listing(wanted, ahead="true", **LEARNED)


@bp.get("/<id:job_id>/lateness-risk")
@bp.output(LatenessRisk)
@fresh
def lateness_risk(job_id: int) -> Body:
    """The risk of one job to end late, and the past jobs that say so."""
    return document(sql.lateness_risk, job_id=job_id, **LEARNED)


@bp.get("/risk-calibration")
@bp.output(Calibration)
@cache_route(ttl=300)
def risk_calibration() -> Body:
    """How good the risk is: foretold and compared with the newest finished jobs, which it had not seen."""
    return document(sql.risk_calibration, **{**LEARNED, "held_out": HELD_OUT}, fewest=FEWEST)


@bp.get("/promise-date")
@bp.input(NewJobsWay, location="query", arg_name="way")
@bp.output(PromiseDate)
@cache_route(ttl=60)
def promise_date(way: NewJobsWay) -> Body:
    """A date to promise a new job for, and what it was made from."""
    return document(
        sql.promise_date,
        process_ids=list(way.process_ids),
        confidence=way.confidence,
        newest=NEWEST,
        fewest=FEWEST,
        most=MOST_STEPS,
    )
