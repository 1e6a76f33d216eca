"""/api/workflow-approvals: ask for approval, see what waits, decide, and what went out to leads."""

from __future__ import annotations

from typing import Annotated, Literal

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import AwareDatetime, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import InvalidInput
from opsboard.features.workflow_approvals.documents import (
    Approval,
    Approvals,
    ApprovalStatus,
    ApprovalWithHistory,
    AutoResponse,
    AutoResponses,
    History,
    PendingApprovals,
    ResponseStatus,
)
from opsboard.web.access import only_for
from opsboard.web.arguments import SPLIT, Arguments, Id, Line, Patch, Text
from opsboard.web.command import command
from opsboard.web.documents import Priority
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("workflow_approvals", __name__, url_prefix="/api/workflow-approvals", tag="Approvals")
sql = load_queries(__package__)

Answer = Annotated[Text, Field(max_length=10_000)]
Comment = Annotated[Text, Field(min_length=1, max_length=2000)]
OUTCOMES = {"approve": "approved", "reject": "rejected", "request_changes": "changes_requested"}


class ListApprovals(ListArguments, query=sql.list_approvals, default_sort="-created_at"):
    status: Annotated[
        list[ApprovalStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    lead_id: Id | None = None
    decided_today: Annotated[
        Literal["true"] | None, Field(description="Decided on the day of the business's time zone.")
    ] = None


class ListPending(ListArguments, query=sql.list_pending, default_sort="created_at"):
    assigned_user_id: Annotated[Id | None, Field(description="Those that this person should decide.")] = None


class ListHistory(ListArguments, query=sql.list_history, default_sort="-created_at"):
    pass


class ListAutoResponses(ListArguments, query=sql.list_auto_responses, default_sort="-created_at"):
    status: Annotated[
        list[ResponseStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    lead_id: Id | None = None


class NewApproval(Arguments):
    subject: Line
    response: Answer | None = None
    lead_id: Id | None = None
    priority: Priority = "normal"
    assigned_user_id: Annotated[Id | None, Field(description="Who should decide.")] = None
    due_at: AwareDatetime | None = None


class Decision(Arguments):
    decision: Literal["reject", "approve", "request_changes"]
    comment: Annotated[Comment | None, Field(description="Needed unless it is approved.")] = None


class ChangeApproval(Patch):
    subject: Line = ""
    response: Answer | None = None


class Outcome(Arguments):
    status: Literal["sent", "failed", "cancelled"]


@bp.get("")
@bp.input(ListApprovals, location="query", arg_name="wanted")
@bp.output(Approvals)
@cache_list
def list_approvals(wanted: ListApprovals) -> Body:
    """Requests for approval with their lead, who asked and who decided, newest first."""
    return listing(wanted)


@bp.get("/pending")
@bp.input(ListPending, location="query", arg_name="wanted")
@bp.output(PendingApprovals)
@cache_list
def list_pending(wanted: ListPending) -> Body:
    """Requests that wait for a decision, oldest first, with their age and what to do next."""
    return listing(wanted, pending="true")


@bp.get("/auto-responses")
@bp.input(ListAutoResponses, location="query", arg_name="wanted")
@bp.output(AutoResponses)
@cache_list
def list_auto_responses(wanted: ListAutoResponses) -> Body:
    """Answers that went out to leads or are about to, newest first."""
    return listing(wanted)


@bp.get("/<id:approval_id>")
@bp.input(detail(sql.get_approval), location="query", arg_name="wanted")
@bp.output(ApprovalWithHistory)
@fresh
def get_approval(approval_id: int, wanted: Detail) -> Body:
    """One request with its lead, its place in the queue and its whole history."""
    return wanted.document(approval_id=approval_id)


@bp.get("/<id:approval_id>/history")
@bp.input(ListHistory, location="query", arg_name="wanted")
@bp.output(History)
@cache_list
def list_history(approval_id: int, wanted: ListHistory) -> Body:
    """What happened to a request and who did it, newest first."""
    return listing(wanted, approval_id=approval_id)


@bp.post("")
@bp.input(NewApproval, arg_name="approval")
@bp.output(Approval, status_code=201)
def create_approval(approval: NewApproval) -> Response:
    """Ask for approval of an answer to a lead."""
    location = "/api/workflow-approvals/{id}"
    return command(sql.create_approval, approval.model_dump(), status=201, location=location)


@bp.post("/<id:approval_id>/decision")
@bp.input(Decision, arg_name="made")
@bp.output(Approval)
@only_for(Role.ADMIN, Role.MANAGER)
def decide_approval(approval_id: int, made: Decision) -> Response:
    """Approve, reject or ask for changes; 409 and the name of who did, when somebody has decided before."""
    if made.decision != "approve" and made.comment is None:
        raise InvalidInput(fields=[{"field": "comment", "message": "say why, or what to change"}])
    decided = {"approval_id": approval_id, "status": OUTCOMES[made.decision], **made.model_dump()}
    return command(sql.decide_approval, decided)


@bp.post("/auto-responses/<id:response_id>/outcome")
@bp.input(Outcome, arg_name="outcome")
@bp.output(AutoResponse)
@only_for(Role.ADMIN, Role.MANAGER)
def end_auto_response(response_id: int, outcome: Outcome) -> Response:
    """Say that an answer went out, failed or was cancelled; 409 when it went out or was cancelled before."""
    return command(sql.end_auto_response, {"response_id": response_id, "became": outcome.status})


@bp.patch("/<id:returned_id>")
@bp.input(ChangeApproval, arg_name="change")
@bp.output(Approval)
def resubmit_approval(returned_id: int, change: ChangeApproval) -> Response:
    """Change what was returned for changes and send it in again."""
    return command(
        sql.resubmit_approval, {"approval_id": returned_id, "patch": change.patch()}, current=sql.get_approval
    )


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)
