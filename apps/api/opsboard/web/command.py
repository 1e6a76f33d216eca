"""A write: one statement that changes, audits and returns the new document; or says what is in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from opsboard.db.queries import Query
from opsboard.errors import Conflict, Forbidden, InvalidInput, NotFound, OpsboardError
from opsboard.observability import record
from opsboard.web.document import CACHE_CONTROL, JSON, VARY
from opsboard.web.services import identity, services

PROBLEMS: dict[str, type[OpsboardError]] = {
    "not_found": NotFound,
    "forbidden": Forbidden,
    "conflict": Conflict,
    "invalid_input": InvalidInput,
}


def command(query: Query, parameters: Mapping[str, Any], status: int = 200, location: str = "") -> Response:
    """Run a write and answer with its document. `location` is a path with `{id}` in it, for 201.

    The query gives one row: document (JSON text or null), its id, problem (null or one of PROBLEMS), detail.
    """
    current = record.current()
    request_id = current.request_id if current else None
    who = identity()
    row = services().database.fetch_row(query, who, {**parameters, "request_id": request_id})
    if row is None:
        raise NotFound()
    text, made_id, problem, detail = row
    if problem is not None:
        raise PROBLEMS[problem](detail)
    services().store.bump(who.tenant_id, query.writes)
    response = Response(text, status=status, mimetype=JSON)
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.headers["Vary"] = VARY
    response.headers["X-Cache"] = "BYPASS"
    if location:
        response.headers["Location"] = location.format(id=made_id)
    return response
