"""/api/health/workers and /usage: what each worker does, and how much each business uses the service."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated

from flask import Response, jsonify
from pydantic import BaseModel, Field

from opsboard.features.health.area import area, sql
from opsboard.features.health.database_routes import look
from opsboard.features.health.fleet import line, live_and_silent, total_threads
from opsboard.features.health.fleet_now import look_at_fleet
from opsboard.features.health.schemas import Remembered, RequestThreads, WorkerLine
from opsboard.web.access import for_operators, operational
from opsboard.web.arguments import Arguments
from opsboard.web.services import services


class WorkerState(WorkerLine):
    """`change_lag_seconds`: the longest that a change waited lately to be read by this worker."""

    change_lag_seconds: float
    disk_free: float
    sign_ins: dict[str, int]
    writes_paused: bool


class WorkersHealth(Remembered):
    """Sums and the longest lag are those of the workers that are not silent, since each started."""

    answered_by: str
    machines: int
    change_lag_seconds: float
    answers: dict[str, int]
    request_threads: RequestThreads
    sign_ins: dict[str, int]
    workers: list[WorkerState]


class BusinessUse(BaseModel):
    """`bytes`: of the bodies of answers, as they were sent."""

    id: int
    slug: str
    name: str
    requests: int
    seconds: float
    bytes: int


class UsageHealth(Remembered):
    """Workers write down once a minute what was used."""

    since: dt.date
    businesses: list[BusinessUse]


class OfDays(Arguments):
    days: Annotated[int, Field(ge=1, le=366, description="Days (UTC), today among them.")] = 30


@area.get("/workers")
@area.output(WorkersHealth)
@for_operators
@operational
def workers() -> Response:
    """All workers: how fresh they are, what they answered, their threads, memory and sign-ins."""
    fleet = look_at_fleet()
    live, _ = live_and_silent(fleet.workers)
    reports = [worker["report"] for worker in live]
    return jsonify(
        answered_by=services().change_feed.worker.id,
        machines=len({worker["machine"] for worker in live}),
        change_lag_seconds=max(report["change_lag"] for report in reports),
        answers=total(report["answers"] for report in reports),
        request_threads=total_threads(reports),
        sign_ins=total(report.get("sign_ins", {}) for report in reports),
        workers=[
            {
                **line(worker, "change_lag"),
                "change_lag_seconds": worker["report"]["change_lag"],
                "disk_free": worker["report"].get("disk_free", 1.0),
                "sign_ins": worker["report"].get("sign_ins", {}),
                "writes_paused": worker["report"].get("writes_paused", False),
            }
            for worker in fleet.workers
        ],
        age_seconds=fleet.age,
        problem=fleet.problem,
    )


def total(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for part in parts:
        sums.update(part)
    return dict(sums)


@area.get("/usage")
@area.input(OfDays, location="query", arg_name="wanted")
@area.output(UsageHealth)
@for_operators
@operational
def usage(wanted: OfDays) -> Response:
    """Requests, time and bytes of each business in the last days; the one with the most time first."""
    found, age = look(sql.usage, wanted.model_dump())
    return jsonify(**found, **age)
