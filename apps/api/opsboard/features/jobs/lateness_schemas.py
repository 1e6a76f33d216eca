"""The shapes of the answers about lateness and promised dates."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from opsboard.features.jobs.schemas import WaitsAt
from opsboard.features.shapes import CustomerName, JobStatus, Priority
from opsboard.web.schemas import Envelope


class JobAtRisk(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    priority: Priority
    due_date: dt.date
    customer: CustomerName | None
    days_left: int
    steps_left: int
    risk: float | None = Field(description="From 0 to 1; null where no past job had a due date.")
    risk_basis: int = Field(description="Past jobs that once had as many days and steps left.")
    waits_at: WaitsAt | None = Field(description="Null when no step is open.")


class JobsAtRisk(Envelope):
    items: list[JobAtRisk]


class Ended(BaseModel):
    """Past jobs, and how many of them ended late. Without those of which it is not known yet."""

    cases: int
    late: int


class LatenessRisk(BaseModel):
    id: int
    job_number: str
    status: JobStatus
    due_date: dt.date | None
    days_left: int | None
    steps_left: int
    risk: float | None = Field(description="From 0 to 1; 1 once it is overdue; null with a reason.")
    risk_basis: int
    reason: Literal["closed", "no_due_date", "overdue", "no_history"] | None
    prior: int = Field(
        description="The number of cases of the coarser share that each share is combined with."
    )
    like_it: Ended
    work: Literal["not_begun", "begun_at_once", "begun_later"] = Field(
        description="Whether a step had begun, and if so on the day of the job or later."
    )
    like_it_at_work: Ended = Field(description="Those of `like_it` with the same `work`.")
    weight_of_work: float = Field(description="How much that last share counts, from 0 to 1.")
    shift: float = Field(
        description="Added to the log odds of all risks, because of the jobs due in the last four weeks."
    )
    with_as_many_days: Ended
    all: Ended


class CalibrationBin(BaseModel):
    from_: float = Field(alias="from")
    to: float
    predicted: float = Field(description="The mean risk of the cases.")
    observed: float = Field(description="The share of them that ended late.")
    cases: int


class Calibration(BaseModel):
    """Learned from three quarters of the jobs that were due and compared with the quarter that was due last."""

    learned_from: int = Field(
        description="Jobs that were due: finished ones, and late ones that are still open."
    )
    scored: int = Field(description="Jobs that were due and were not learned from.")
    cases: int = Field(description="States that those jobs were in.")
    base_rate: float | None
    brier: float | None = Field(description="The mean squared error: 0 is best.")
    brier_of_base_rate: float | None = Field(description="That of always saying the base rate.")
    is_better: bool | None
    reason: Literal["not_enough_history"] | None
    needed: int = Field(description="The fewest jobs that were due needed for an estimate.")
    bins: list[CalibrationBin]


class Queue(BaseModel):
    id: int
    name: str
    steps_ahead: int
    per_day: float = Field(description="Steps that the process finished per day in the last 28 days.")
    days: float | None


class Quantiles(BaseModel):
    cases: int = Field(description="Finished jobs. Open ones count by their age.")
    median_days: float | None
    likely_days: float | None = Field(description="No more than this took the share that `confidence` says.")


class LeadTimes(Quantiles):
    steps: int | None = Field(
        description="Of jobs with as many steps; null: of others too, there are too few of those."
    )


class QuantilesByKind(Quantiles):
    has_steps: bool


class Kept(BaseModel):
    """How promises of past days at this confidence turned out, each made from what was known that day."""

    cases: int
    share: float | None = Field(description="The share of jobs that ended by the promised day.")
    uncertainty: float | None = Field(
        description="The standard error of `share`; jobs of one day count once."
    )
    share_a_day_sooner: float | None = Field(
        description="The share that ended a day earlier still: no date lies between the two."
    )
    share_a_day_later: float | None = Field(
        description="The share that ended by the day after the promised one."
    )
    mean_days: float | None = Field(description="The mean length of those promises.")


class Interval(BaseModel):
    """The job ends before it, and after it, with a chance of 1 - `confidence` each."""

    from_days: int
    to_days: int
    from_: dt.date = Field(alias="from")
    to: dt.date


class PromiseKind(BaseModel):
    by: Literal["routing", "steps", "with_steps", "without_steps", "all"] = Field(
        description="What the past jobs have in common with the new one: the same processes in order, as many steps, "
        "any steps, no steps, or nothing: jobs with and without steps are mixed, see `kinds`."
    )
    finished: int
    open: int


class PlainPromise(BaseModel):
    """The quantile of past lead times alone."""

    days: int | None
    kept: Kept


class PromiseDate(BaseModel):
    promise_date: dt.date | None
    days: int | None
    confidence: float
    reason: Literal["no_history", "too_much_work", "idle_process", "not_kept"] | None = Field(
        description="Why there is no date. `not_kept`: promises of past days were kept less often than asked for, or "
        "too many open jobs last longer than finished ones did. `idle_process`: steps wait for a process that finished "
        "none in 28 days, or for longer than 99 % of the times between its past ones."
    )
    today: dt.date
    counted_in: Literal["days", "working_days"] = Field(
        description="What `lead_times`, `kinds` and the `mean_days` of `kept` count. `working_days`: the business has "
        "working hours or holidays, and time in which it is closed does not count. All other days are the calendar's."
    )
    queue_days: float | None = Field(description="Of the process with the longest queue.")
    factor: float | None = Field(description="likely_days / median_days")
    lead_times: LeadTimes
    kept: Kept
    processes: list[Queue]
    method: Literal["plain", "simulated"] | None = Field(
        description="`plain`: the quantile of past lead times. `simulated`: the queues of today, corrected by the "
        "errors of past simulations; used if its promises were kept and clearly shorter, or if the plain ones were "
        "not kept."
    )
    interval: Interval | None
    kind: PromiseKind
    plain: PlainPromise
    kinds: list[QuantilesByKind] = Field(description="The past jobs with and without steps.")


class DelayProcess(BaseModel):
    id: int
    name: str


class LongestStep(BaseModel):
    step_order: int
    process: DelayProcess
    days: float | None = Field(
        description="In its queue and at work; null where the process finished nothing lately."
    )


class Delay(BaseModel):
    id: int
    days: float | None = Field(
        description="Until all steps left have passed the queues; null where one of their processes finished nothing "
        "in 28 days."
    )
    days_left: int | None = Field(description="Until it is due; negative: it is late.")
    ends_late: bool | None = Field(
        description="Whether `days` are more than are left; null where it is late, or not due."
    )
    longest: LongestStep = Field(description="The step that takes the largest part of those days.")


class Delays(BaseModel):
    """All open work in the order of priority, due date and age, at the rates of the last four weeks."""

    today: dt.date
    items: list[Delay]
