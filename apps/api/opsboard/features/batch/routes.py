"""/api/batch: several reads in one request, and one 304 while none of their answers has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from flask import Response, current_app, request
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.errors import InvalidInput
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments
from opsboard.web.document import respond

area = Area("batch", __name__, tag="Batch")

# The WSGI application that answers a part: the fast path, so that a cached part needs no Flask.
INNER = "opsboard.batch.inner"
MOST = 30
LONGEST = 3500  # characters; gunicorn takes 4,094 in a request line
# Of the outer request, and of no part of it.
OWN = ("werkzeug.", "flask.", "opsboard.")
DROPPED = ("HTTP_IF_NONE_MATCH", "HTTP_ACCEPT_ENCODING", "HTTP_RANGE", "CONTENT_TYPE", "CONTENT_LENGTH", "RAW_URI",
           "REQUEST_URI")  # fmt: skip
JSON_TYPES = ("application/json", "application/problem+json")


class BatchArguments(Arguments):
    paths: Annotated[
        str,
        Field(
            max_length=LONGEST,
            description=(
                f"At most {MOST} addresses under /api, each with its query string, separated by a space. "
                "Exports and this address itself cannot be among them."
            ),
            examples=["/api/dashboard/stats /api/notifications/unread"],
        ),
    ] = ""


class Answer(BaseModel):
    path: str
    status: int
    etag: Annotated[
        str | None, Field(description="For an If-None-Match to this address alone; null for an error.")
    ]
    retry_after: Annotated[int | None, Field(description="Seconds, as the header Retry-After says.")]
    body: Annotated[Any, Field(description="The answer, or the error, as the address alone would give it.")]


class Batch(BaseModel):
    answers: list[Answer]


class Part(NamedTuple):
    path: str
    status: int
    etag: str | None
    retry_after: str | None
    content: bytes


@area.get("")
@area.input(BatchArguments, location="query", arg_name="asked")
@area.output(Batch)
def batch(asked: BatchArguments) -> Response:
    """The answers of several addresses, in their order, each with a status of its own."""
    addresses = asked.paths.split()
    if len(addresses) > MOST:
        raise refused(f"must have at most {MOST} addresses")
    for address in addresses:
        check(address)
    return respond(joined(tuple(answer_of(address) for address in addresses)), "BYPASS")


def check(address: str) -> None:
    path = address.partition("?")[0]
    if not path.startswith("/api/"):
        raise refused("must be addresses that begin with /api/")
    if path.rstrip("/").endswith(("/export", "/api/batch")):
        raise refused("must not have exports, or this address itself")


def refused(message: str) -> InvalidInput:
    return InvalidInput(fields=[{"field": "paths", "message": message}])


def answer_of(address: str) -> Part:
    """Ask the application itself, as the caller of this request: each part has its own checks, cache and log line."""
    path, _, query = address.partition("?")
    environ = {name: value for name, value in request.environ.items() if not name.startswith(OWN)}
    for name in DROPPED:
        environ.pop(name, None)
    environ |= {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.input": BytesIO(),
    }
    head: list[Any] = []
    # A context of its own: what Flask keeps for a request must not be that of the outer one.
    with current_app.app_context():
        chunks: Iterable[bytes] = current_app.extensions[INNER](
            environ, lambda status, headers, exc_info=None: head.extend((status, headers))
        )
        try:
            content = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
    status, headers = int(head[0].split(" ", 1)[0]), dict(head[1])
    if not headers.get("Content-Type", "").startswith(JSON_TYPES):
        raise refused("must be addresses that answer with JSON")
    return Part(address, status, headers.get("ETag"), headers.get("Retry-After"), content)


@lru_cache(maxsize=128)
def joined(parts: tuple[Part, ...]) -> Body:
    """The document; the bytes of cached parts are the same objects, so a poll compares them and joins nothing."""
    return Body(b'{"answers": [' + b", ".join(map(written, parts)) + b"]}")


def written(part: Part) -> bytes:
    wait = int(part.retry_after) if part.retry_after and part.retry_after.isdigit() else None
    head = {"path": part.path, "status": part.status, "etag": part.etag, "retry_after": wait}
    return json.dumps(head)[:-1].encode() + b', "body": ' + part.content + b"}"
