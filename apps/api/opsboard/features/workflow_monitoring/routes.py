"""/api/workflow-monitoring: what runs, what ran, and the alerts that somebody must look at."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.workflow_monitoring.documents import (
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
from opsboard.web.arguments import SPLIT, Arguments, Id, Line, Patch, Text
from opsboard.web.command import command
from opsboard.web.endpoint import cache_list
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint(
    "workflow_monitoring", __name__, url_prefix="/api/workflow-monitoring", tag="Workflow monitoring"
)
sql = load_queries(__package__)

ErrorText = Annotated[Text, Field(max_length=2000)]


class ListHistory(ListArguments, query=sql.list_history, default_sort="-started_at"):
    workflow_id: Id | None = None
    status: Annotated[
        list[ExecutionStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None


class ListActive(ListArguments, query=sql.list_active, default_sort="started_at"):
    pass


class ListWorkflows(ListArguments, query=sql.list_workflows, default_sort="-created_at"):
    pass


class ListAlerts(ListArguments, query=sql.list_alerts, default_sort="-created_at"):
    status: AlertStatus | None = None
    workflow_id: Id | None = None


class NewExecution(Arguments):
    workflow: Annotated[Line, Field(description="Its name; a new one becomes known by it.")]
    step: Line | None = None


class ChangeExecution(Patch):
    status: ExecutionStatus = "running"
    step: Line | None = None
    error: ErrorText | None = None


@bp.get("/active")
@bp.input(ListActive, location="query", arg_name="wanted")
@bp.output(ActiveExecutions)
@cache_list
def list_active(wanted: ListActive) -> Body:
    """Executions that run, the longest first."""
    return listing(wanted, active="true")


@bp.get("/history")
@bp.input(ListHistory, location="query", arg_name="wanted")
@bp.output(Executions)
@cache_list
def list_history(wanted: ListHistory) -> Body:
    """Executions of workflows, those that run and those that ended, newest first."""
    return listing(wanted)


@bp.get("/workflows")
@bp.input(ListWorkflows, location="query", arg_name="wanted")
@bp.output(Workflows)
@cache_list
def list_workflows(wanted: ListWorkflows) -> Body:
    """Workflows that are watched, newest first."""
    return listing(wanted)


@bp.get("/alerts")
@bp.input(ListAlerts, location="query", arg_name="wanted")
@bp.output(Alerts)
@cache_list
def list_alerts(wanted: ListAlerts) -> Body:
    """Alerts of workflows, open or acknowledged, newest first."""
    # Each status a filter of its own: the open ones have an index that only their exact words can use.
    asked = wanted.model_copy(update={"status": None})
    return listing(asked, **({wanted.status: "true"} if wanted.status else {}))


@bp.post("/executions")
@bp.input(NewExecution, arg_name="execution")
@bp.output(Execution)
@only_for(Role.ADMIN, Role.MANAGER)
def begin_execution(execution: NewExecution) -> Response:
    """Note that a workflow has begun to run."""
    return command(sql.begin_execution, execution.model_dump())


@bp.patch("/executions/<id:execution_id>")
@bp.input(ChangeExecution, arg_name="change")
@bp.output(Execution)
@only_for(Role.ADMIN, Role.MANAGER)
def update_execution(execution_id: int, change: ChangeExecution) -> Response:
    """Say where an execution is or how it ended; one that failed raises an alert."""
    return command(sql.update_execution, {"execution_id": execution_id, "patch": change.patch()})


@bp.post("/alerts/<id:alert_id>/acknowledge")
@bp.output(Alert)
def acknowledge_alert(alert_id: int) -> Response:
    """Say that you have seen an alert; 409 and the name of who did, when somebody has before."""
    return command(sql.acknowledge_alert, {"alert_id": alert_id})


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)
