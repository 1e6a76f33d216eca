"""/api/workflow-approvals: ask for approval, see what waits, decide, and what went out to leads."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import AwareDatetime, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import InvalidInput
from opsboard.features.shapes import Priority
from opsboard.features.workflow_approvals.schemas import (
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
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, Line, OneOrMore, Patch, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments

area = Area("workflow_approvals", __name__, tag="Approvals")
sql = load_queries(__package__)

Answer = Annotated[Text, Field(max_length=10_000)]
Comment = Annotated[Text, Field(min_length=1, max_length=2000)]
OUTCOMES = {"approve": "approved", "reject": "rejected", "request_changes": "changes_requested"}


@area.list("", Approvals)
class ListApprovals(ListArguments, query=sql.list_approvals, default_sort="-created_at"):
    """Requests for approval with lead, requester and decider, newest first."""

    status: OneOrMore[ApprovalStatus] = None
    lead_id: Id | None = None
    decided_today: Annotated[
        Literal["true"] | None, Field(description="Decided on the day of the business's time zone.")
    ] = None


@area.list("/pending", PendingApprovals, always={"pending": "true"})
class ListPending(ListArguments, query=sql.list_pending, default_sort="created_at"):
    """Requests that wait for a decision, oldest first, with their age and what to do next."""

    assigned_user_id: Annotated[Id | None, Field(description="Those that this person should decide.")] = None


@area.list("/<id:approval_id>/history", History)
class ListHistory(ListArguments, query=sql.list_history, default_sort="-created_at"):
    """The history of a request, newest first."""


@area.list("/auto-responses", AutoResponses)
class ListAutoResponses(ListArguments, query=sql.list_auto_responses, default_sort="-created_at"):
    """Answers that went out to leads or are about to, newest first."""

    status: OneOrMore[ResponseStatus] = None
    lead_id: Id | None = None


class NewApproval(Arguments):
    subject: Line
    response: Answer | None = None
    lead_id: Id | None = None
    priority: Priority = "normal"
    assigned_user_id: Annotated[Id | None, Field(description="The person who should decide.")] = None
    due_at: AwareDatetime | None = None


class Decision(Arguments):
    decision: Literal["reject", "approve", "request_changes"]
    comment: Annotated[Comment | None, Field(description="Needed unless it is approved.")] = None


class ChangeApproval(Patch, of=NewApproval, without={"lead_id", "priority", "assigned_user_id", "due_at"}):
    pass


class Outcome(Arguments):
    status: Literal["sent", "failed", "cancelled"]


@area.get("/<id:approval_id>")
@area.input(detail(sql.get_approval), location="query", arg_name="wanted")
@area.output(ApprovalWithHistory)
@fresh
def get_approval(approval_id: int, wanted: Detail) -> Body:
    """One request with its lead, its place in the queue and its whole history."""
    return wanted.document(approval_id=approval_id)


@area.post("")
@area.input(NewApproval, arg_name="approval")
@area.output(Approval, status_code=201)
def create_approval(approval: NewApproval) -> Response:
    """Ask for approval of an answer to a lead."""
    location = "/api/workflow-approvals/{id}"
    return command(sql.create_approval, approval.model_dump(), status=201, location=location)


@area.post("/<id:approval_id>/decision")
@area.input(Decision, arg_name="made")
@area.output(Approval)
@only_for(Role.ADMIN, Role.MANAGER)
def decide_approval(approval_id: int, made: Decision) -> Response:
    """Approve, reject or ask for changes; 409 with the name of the person if it was decided before."""
    if made.decision != "approve" and made.comment is None:
        raise InvalidInput(fields=[{"field": "comment", "message": "say why, or what to change"}])
    decided = {"approval_id": approval_id, "status": OUTCOMES[made.decision], **made.model_dump()}
    return command(sql.decide_approval, decided)


@area.post("/auto-responses/<id:response_id>/outcome")
@area.input(Outcome, arg_name="outcome")
@area.output(AutoResponse)
@only_for(Role.ADMIN, Role.MANAGER)
def end_auto_response(response_id: int, outcome: Outcome) -> Response:
    """Say that an answer went out, failed or was cancelled; 409 when it went out or was cancelled before."""
    return command(sql.end_auto_response, {"response_id": response_id, "became": outcome.status})


@area.patch("/<id:approval_id>")
@area.input(ChangeApproval, arg_name="change")
@area.output(Approval)
def resubmit_approval(approval_id: int, change: ChangeApproval) -> Response:
    """Change a request that was returned for changes and resubmit it."""
    return command(
        sql.resubmit_approval, {"approval_id": approval_id, "patch": change.patch()}, current=sql.get_approval
    )
