"""A finished body becomes a response: the right bytes, or 304 when the client has them already."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from opsboard.cache.body import Body
from opsboard.db.queries import Query
from opsboard.observability import record
from opsboard.web.representation import JSON, represent, to_response
from opsboard.web.services import identity, services


def document(query: Query, **parameters: Any) -> Body:
    """The answer of one query for the caller: its JSON text as it comes from Postgres. 404 when it has none."""
    text = services().database.fetch_json(query, identity(), parameters)
    return Body(text.encode(), query.reads)


def respond(body: Body, outcome: str, age: float = 0.0, content_type: str = JSON) -> Response:
    """Answer this request with the body, in the representation that its client accepts."""
    sent = request.headers
    response = to_response(
        represent(body, sent.get("Accept-Encoding"), sent.get("If-None-Match"), content_type)
    )
    response.headers["Age"] = str(int(age))
    response.headers["X-Cache"] = outcome
    current = record.current()
    if current:
        current.cache = outcome
    return response
