"""The representation of a body that a client gets: gzip or not, 200 or 304, and its headers; decided here alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from flask import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from opsboard.cache.body import Body, matches

JSON = "application/json"
# Answers depend on who asks: only that browser may keep them, and it asks each time if they are still valid.
CACHE_CONTROL = "private, no-cache"
VARY = "Authorization, Cookie, Accept-Encoding"


class Representation(NamedTuple):
    """200 with the bytes of one part of a body, or 304 without."""

    status: Literal[200, 304]
    headers: list[tuple[str, str]]
    content: bytes | None
    part: Literal["identity", "gzipped"]
    """The attribute of the body that has the bytes."""


def represent(
    body: Body,
    accept_encoding: str | None,
    if_none_match: str | None,
    content_type: str = JSON,
    cache_control: str = CACHE_CONTROL,
    vary: str = VARY,
) -> Representation:
    """Choose gzip or not by Accept-Encoding, and 200 or 304 by If-None-Match."""
    zipped = body.gzipped if body.gzipped is not None and accepts_gzip(accept_encoding or "") else None
    headers = [
        ("ETag", body.etag if zipped is None else body.gzip_etag),
        ("Cache-Control", cache_control),
        ("Vary", vary),
    ]
    part: Literal["identity", "gzipped"] = "identity" if zipped is None else "gzipped"
    if matches(if_none_match, body):
        return Representation(304, headers, None, part)
    content = body.identity if zipped is None else zipped
    encoding = [] if zipped is None else [("Content-Encoding", "gzip")]
    of_content = [("Content-Type", content_type), ("Content-Length", str(len(content))), *encoding]
    return Representation(200, of_content + headers, content, part)


def to_response(representation: Representation) -> Response:
    response = Response(representation.content, representation.status, representation.headers)
    if representation.content is None:
        response.headers.remove("Content-Type")
    return response


@lru_cache(64)  # browsers send a handful of spellings
def accepts_gzip(accept_encoding: str) -> bool:
    accepted = parse_accept_header(accept_encoding, Accept)
    return accepted.quality("gzip") > 0 and "gzip" in accepted
