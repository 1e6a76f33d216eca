"""The shapes of the answers about workflows, their executions and alerts."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named

ExecutionStatus = Literal["running", "completed", "failed", "cancelled"]
AlertStatus = Literal["open", "acknowledged"]


class Workflow(BaseModel):
    id: int
    name: str
    description: str | None
    is_active: bool
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Workflows(Envelope):
    items: list[Workflow]


class Execution(BaseModel):
    """`step`: where it is, or where it ended."""

    id: int
    workflow: Named
    status: ExecutionStatus
    step: str | None
    error: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    own_fields: dict[str, str]
    updated_at: dt.datetime


class Executions(Envelope):
    items: list[Execution]


class ActiveExecution(Execution):
    running_hours: int


class ActiveExecutions(Envelope):
    items: list[ActiveExecution]


class Alert(BaseModel):
    id: int
    workflow: Named
    execution_id: int | None
    severity: Literal["info", "warning", "critical"]
    message: str
    status: AlertStatus
    acknowledged_by: Named | None
    acknowledged_at: dt.datetime | None
    created_at: dt.datetime


class Alerts(Envelope):
    items: list[Alert]
