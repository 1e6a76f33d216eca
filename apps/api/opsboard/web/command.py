"""A write: one statement that changes, audits and returns the new document; or says what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from opsboard.db.database import Row
from opsboard.db.queries import Query
from opsboard.errors import Conflict, Forbidden, InvalidInput, NotFound, OpsboardError, Stale
from opsboard.observability import events, record
from opsboard.web.idempotency import REPLAYED, Answer, done_once, sent_key
from opsboard.web.preconditions import TagsOf, precondition, tags_of_document
from opsboard.web.representation import CACHE_CONTROL, JSON, VARY
from opsboard.web.services import identity, services

PROBLEMS: dict[str, type[OpsboardError]] = {
    "not_found": NotFound,
    "forbidden": Forbidden,
    "conflict": Conflict,
    "stale": Stale,
    "invalid_input": InvalidInput,
}


def command(
    query: Query,
    parameters: Mapping[str, Any],
    status: int = 200,
    location: str = "",
    complete: Callable[[str], str] | None = None,
    current: Query | None = None,
    tags_of: TagsOf = tags_of_document,
    body: bytes | None = None,
) -> Response:
    """Run a write and answer with its document. `location` is a path with `{id}` in it, for 201.

    The query gives one row: document (JSON text or null), its id, problem (null or one of PROBLEMS), detail. With an
    Idempotency-Key it is run once, and answered as often as it is sent. `complete` adds to the document, each time it
    is sent, what must not be kept. `current` is the query of what GET of the same address answers with, by the same
    parameters: If-Match is compared with it, and `tags_of` gives the ETags of its row. `body` stands for a body that
    is not kept in memory.
    """

    def made(row: Row | None) -> Answer:
        if row is None:
            raise NotFound()
        text, made_id, problem, detail = row
        if problem is not None:
            raise PROBLEMS[problem](detail)
        return Answer(status, text, location.format(id=made_id) if location else None, JSON)

    request = record.current()
    given = {**parameters, "request_id": request.request_id if request else None}
    key, match, database = sent_key(), precondition(current, tags_of), services().database
    who, replayed = identity(), False
    if key is not None:
        answer, replayed = done_once(key, query, given, made, match, body)
        events.note("idempotent_writes", "replayed" if replayed else "done")
    elif match is not None:
        answer = made(database.fetch_conditionally(query, who, given, match=match))
    else:
        answer = made(database.fetch_row(query, who, given))
    if not replayed:
        services().store.bump(who.tenant_id, query.writes)
    if complete and answer.media_type == JSON:
        answer = answer._replace(body=complete(answer.body))
    return answered(answer, replayed)


def answered(answer: Answer, replayed: bool) -> Response:
    response = Response(answer.body, status=answer.status, mimetype=answer.media_type)
    response.headers["Cache-Control"] = CACHE_CONTROL if answer.media_type == JSON else "no-store"
    response.headers["Vary"] = VARY
    response.headers["X-Cache"] = "BYPASS"
    if answer.location:
        response.headers["Location"] = answer.location
    if replayed:
        response.headers[REPLAYED] = "true"
    return response
