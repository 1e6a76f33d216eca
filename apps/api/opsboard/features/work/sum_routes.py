"""Sums of work under /api/work: time and pieces, the numbers of a shop, rejects by reason, estimates."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from opsboard.cache.body import Body
from opsboard.features.work.area import area, sql
from opsboard.features.work.sum_schemas import Estimates, Numbers, Rejects, WorkSummary
from opsboard.web.arguments import Arguments, Day, Id, Line
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route

LONGEST = dt.timedelta(days=366)


class Days(Arguments):
    """The last days, up to today, unless days are given; one alone begins or ends as many."""

    date_from: Annotated[Day | None, Field(description="First day.")] = None
    date_to: Annotated[Day | None, Field(description="Last day; at most a year later.")] = None

    @model_validator(mode="after")
    def are_a_year_at_most(self) -> Days:
        if self.date_from and self.date_to and self.date_to - self.date_from > LONGEST:
            raise ValueError("a summary is of a year at most")
        return self


class NumberDays(Days):
    by: Annotated[Literal["day", "week"], Field(description="Weeks begin on Monday.")] = "day"


class RejectDays(Days):
    process_id: Annotated[Id | None, Field(description="Of one process.")] = None
    product: Annotated[Line | None, Field(description="Of jobs with this title.")] = None


@area.get("/summary")
@area.input(Days, location="query", arg_name="days")
@area.output(WorkSummary)
@cache_route(ttl=30)
def summary(days: Days) -> Body:
    """Worked seconds and pieces of a day or some days, by person, machine and process; of work that has ended.

    Work over midnight counts on each day for its part; records and pieces count on the day on which the work ended.
    """
    return document(sql.summary, **days.model_dump())


@area.get("/numbers")
@area.input(NumberDays, location="query", arg_name="days")
@area.output(Numbers)
@cache_route(ttl=30)
def numbers(days: NumberDays) -> Body:
    """The numbers of the shop by day or week: pieces, scrap, utilisation, jobs completed, on time, lead time."""
    return document(sql.numbers, **days.model_dump())


@area.get("/rejects")
@area.input(RejectDays, location="query", arg_name="days")
@area.output(Rejects)
@cache_route(ttl=30)
def rejects(days: RejectDays) -> Body:
    """Rejected pieces of 30 days by reason, process and product, most first."""
    return document(sql.rejects, **days.model_dump())


@area.get("/estimates")
@area.input(Days, location="query", arg_name="days")
@area.output(Estimates)
@cache_route(ttl=30)
def estimates(days: Days) -> Body:
    """Estimated and worked time by process, of the steps completed in 30 days that have both."""
    return document(sql.estimates, **days.model_dump())
