"""/api/health/activity: what the sessions of the database do, and the way to end one of them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import structlog
from flask import Response, jsonify
from pydantic import Field

from opsboard.db.queries import Query
from opsboard.errors import Forbidden, NotFound, OpsboardError
from opsboard.features.health.activity_schemas import Activity, Cancelled
from opsboard.features.health.advice import (
    Advice,
    advise_on_activity,
    advise_on_blocked,
    advise_on_oldest_transaction,
)
from opsboard.features.health.area import area, sql
from opsboard.features.health.database_routes import look
from opsboard.features.health.settings_advice import NAMES, advise_on_settings
from opsboard.observability import record
from opsboard.observability.machine import get_system_metrics
from opsboard.web.access import for_operators, operational
from opsboard.web.arguments import Arguments, Text
from opsboard.web.openapi import problems, takes_no_key
from opsboard.web.services import identity, services

log = structlog.get_logger(__name__)

LONG = 1.0  # seconds: a statement that runs for longer is listed by itself


class Cancel(Arguments):
    pid: Annotated[
        int, Field(ge=1, le=2**31 - 1, examples=[4711], description="Of `GET /api/health/activity`.")
    ]
    query: Annotated[
        Text | None,
        Field(
            max_length=100,
            examples=["jobs.list_jobs"],
            description="Only while the session still runs this query; another one may have its number by now.",
        ),
    ] = None
    end_session: Annotated[
        bool, Field(description="End the whole session, which one that is idle in a transaction needs.")
    ] = False


@area.get("/activity")
@area.output(Activity)
@for_operators
@operational
def activity() -> Response:
    """Sessions by state and query, long and blocked statements, locked tables, and what comes to its end."""
    found, age = look(sql.activity, {"long": LONG, "settings": NAMES})
    advice, config = Advice(), services().config
    advise_on_blocked(found, advice)
    if found["oldest_transaction"]:
        held = {
            "oldest_transaction": found["oldest_transaction"],
            "dead_rows": found["holds_up"]["dead_rows"],
        }
        advise_on_oldest_transaction(config, held, advice)
    advise_on_activity(found, advice)
    machine = get_system_metrics()
    settings = advise_on_settings(found.pop("settings"), found)
    return jsonify(
        status=advice.status,
        **found,
        disk={
            "machine": services().change_feed.worker.machine,
            "free_bytes": machine["disk_free_bytes"],
            "total_bytes": machine["disk_bytes"],
        },
        settings=settings,
        warnings=advice.warnings,
        recommendations=advice.recommendations,
        **age,
    )


@area.post("/activity/cancel")
@area.input(Cancel, arg_name="wanted")
@area.output(Cancelled)
@problems(404, 503)
@takes_no_key
@for_operators
@operational
def cancel(wanted: Cancel) -> Response:
    """Cancel the statement of a session of the database, or end the session; the audit log has who did so."""
    request = record.current()
    values = {**wanted.model_dump(), "request_id": request.request_id if request else None}
    try:
        found, audited = signal(sql.cancel, values), True
    except NotFound:
        raise
    except OpsboardError as error:
        # The audit log may be locked by the very session that is to end.
        log.warning("audit entry not written", outcome="cancel", error=error.code)
        found, audited = signal(sql.cancel_unaudited, values), False
    if not found.pop("may"):
        raise Forbidden(
            f"Session {wanted.pid} belongs to the role {found['user']}. End it as that role or a superuser: "
            f"SELECT pg_terminate_backend({wanted.pid})"
        )
    if not found.pop("is_signalled"):
        raise NotFound(f"Session {wanted.pid} ended meanwhile.")
    ended = "session" if wanted.end_session else "statement"
    caller = identity()
    log.warning("database session ended by an operator", pid=wanted.pid, query=found["query"], ended=ended,
                business=caller.tenant_id, user=caller.user_id)  # fmt: skip
    return jsonify(**found, ended=ended, audited=audited)


def signal(query: Query, values: dict[str, Any]) -> dict[str, Any]:
    """The session that was signalled. Raises NotFound when there is none of that number."""
    row = services().lookout.ask(query, values, identity(), remember=False).row
    if row is None:
        raise NotFound(f"This database has no session {values['pid']}, or it runs another query by now.")
    found: dict[str, Any] = json.loads(row[0])
    return found
