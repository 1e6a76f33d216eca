"""/api/workflow-monitoring: what runs, what ran, and the alerts that somebody must look at."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.db.queries import load_queries
from opsboard.features.workflow_monitoring.schemas import (
    ActiveExecutions,
    Alert,
    Alerts,
    AlertStatus,
    Execution,
    Executions,
    ExecutionStatus,
    Workflows,
)
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, Line, OneOrMore, Patch, Text
from opsboard.web.command import command
from opsboard.web.listing import ListArguments

area = Area("workflow_monitoring", __name__, tag="Workflow monitoring")
sql = load_queries(__package__)

ErrorText = Annotated[Text, Field(max_length=2000)]


@area.list("/history", Executions)
class ListHistory(ListArguments, query=sql.list_history, default_sort="-started_at"):
    """Executions of workflows, those that run and those that ended, newest first."""

    workflow_id: Id | None = None
    status: OneOrMore[ExecutionStatus] = None


@area.list("/active", ActiveExecutions, always={"active": "true"})
class ListActive(ListArguments, query=sql.list_active, default_sort="started_at"):
    """Executions that run, the longest first."""


@area.list("/workflows", Workflows)
class ListWorkflows(ListArguments, query=sql.list_workflows, default_sort="-created_at"):
    """Workflows that are watched, newest first."""


@area.list("/alerts", Alerts)
class ListAlerts(ListArguments, query=sql.list_alerts, default_sort="-created_at"):
    """Alerts of workflows, open or acknowledged, newest first."""

    status: AlertStatus | None = None
    workflow_id: Id | None = None

    def filters(self) -> dict[str, Any]:
        # Each status is a filter of its own: the index of open alerts serves only the literal condition.
        filters = super().filters()
        status = filters.pop("status", None)
        return filters | ({status: "true"} if status else {})


class NewExecution(Arguments):
    workflow: Annotated[Line, Field(description="The name of the workflow; a new name creates it.")]
    step: Line | None = None


class ChangeExecution(Patch):
    status: ExecutionStatus
    step: Line | None
    error: ErrorText | None


@area.post("/executions")
@area.input(NewExecution, arg_name="execution")
@area.output(Execution)
@only_for(Role.ADMIN, Role.MANAGER)
def begin_execution(execution: NewExecution) -> Response:
    """Note that a workflow has begun to run."""
    return command(sql.begin_execution, execution.model_dump())


@area.patch("/executions/<id:execution_id>")
@area.input(ChangeExecution, arg_name="change")
@area.output(Execution)
@only_for(Role.ADMIN, Role.MANAGER)
def update_execution(execution_id: int, change: ChangeExecution) -> Response:
    """Update the state of an execution; a failed one raises an alert."""
    return command(sql.update_execution, {"execution_id": execution_id, "patch": change.patch()})


@area.post("/alerts/<id:alert_id>/acknowledge")
@area.output(Alert)
def acknowledge_alert(alert_id: int) -> Response:
    """Acknowledge an alert; 409 with the name of the person if it was acknowledged before."""
    return command(sql.acknowledge_alert, {"alert_id": alert_id})
