"""A finished body becomes a response: the right bytes, or 304 when the client has them already."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from opsboard.cache.body import Body, matches
from opsboard.db.queries import Query
from opsboard.observability import record
from opsboard.web.services import identity, services

JSON = "application/json"
# Answers depend on who asks and may be kept by that browser alone, which asks each time whether they still hold.
CACHE_CONTROL = "private, no-cache"
VARY = "Authorization, Cookie, Accept-Encoding"


def document(query: Query, **parameters: Any) -> Body:
    """The answer of one query for the caller: its JSON text as it comes from Postgres. 404 when it has none."""
    text = services().database.fetch_json(query, identity(), parameters)
    return Body(text.encode(), query.reads)


def respond(body: Body, outcome: str, age: float = 0.0, mimetype: str = JSON) -> Response:
    """200 with the body, gzip'd when the client takes that, or 304 when If-None-Match names it."""
    zipped = body.gzipped is not None and accepts_gzip(request.headers.get("Accept-Encoding", ""))
    if matches(request.headers.get("If-None-Match"), body):
        response = Response(status=304)
        response.headers.remove("Content-Type")
    else:
        response = Response(body.gzipped if zipped else body.identity, mimetype=mimetype)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = body.gzip_etag if zipped else body.etag
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.headers["Vary"] = VARY
    response.headers["Age"] = str(int(age))
    response.headers["X-Cache"] = outcome
    current = record.current()
    if current:
        current.cache = outcome
    return response


@lru_cache(64)  # browsers send a handful of spellings
def accepts_gzip(accept_encoding: str) -> bool:
    accepted = parse_accept_header(accept_encoding, Accept)
    return accepted.quality("gzip") > 0 and "gzip" in accepted
