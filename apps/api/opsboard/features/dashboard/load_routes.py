"""GET /api/dashboard/load and /queue: how much work waits for machines and people, and in which order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.features.dashboard.area import area, sql
from opsboard.features.dashboard.load_schemas import Loads, Queue
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments, Id
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route

MOST_OPEN_JOBS = 5000  # that are read, those due soonest
MOST_STEPS = 2000  # of a queue that are brought into order


class HowManyLoads(Arguments):
    limit: Annotated[int, Field(ge=1, le=200, description="Machines, and people.")] = 100


class QueueOf(Arguments):
    machine_id: Annotated[Id | None, Field(description="The queue of this machine.")] = None
    assigned_user_id: Annotated[Id | None, Field(description="The queue of this person.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Steps.")] = 100

    @model_validator(mode="after")
    def is_of_one(self) -> QueueOf:
        if self.machine_id is not None and self.assigned_user_id is not None:
            raise ValueError("send only one of machine_id and assigned_user_id")
        return self


@area.get("/load")
@area.input(HowManyLoads, location="query", arg_name="wanted")
@area.output(Loads)
@only_for(Role.ADMIN, Role.MANAGER)
@cache_route(ttl=60)
def load(wanted: HowManyLoads) -> Body:
    """Machines and people by the work that waits for them, beside their working hours of this week and the next."""
    return document(sql.load, limit=wanted.limit, most_jobs=MOST_OPEN_JOBS)


@area.get("/queue")
@area.input(QueueOf, location="query", arg_name="wanted")
@area.output(Queue)
@only_for(Role.ADMIN, Role.MANAGER)
@cache_route(ttl=60)
def queue(wanted: QueueOf) -> Body:
    """The open steps of one machine or person in the order in which they are to be done."""
    return document(sql.queue, most=MOST_STEPS, **wanted.model_dump())
