"""If-Match: a write is done if what it changes is still what its sender has read (RFC 9110, 13.1.1)."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from opsboard.cache.body import Body, matches_strongly
from opsboard.db.database import Match, Row
from opsboard.db.queries import Query
from opsboard.errors import NotFound, PreconditionFailed

HEADER = "If-Match"
# From the row of a query to the ETags its answer may have; none: there is nothing at this address.
TagsOf = Callable[[Row], tuple[str, ...]]


def tags_of_document(row: Row) -> tuple[str, ...]:
    """Of a row whose first column is the JSON text of the answer, plain and compressed. Raises NotFound."""
    if row[0] is None:
        raise NotFound()
    body = Body(str(row[0]).encode())
    return body.etag, body.gzip_etag


def sent_tags() -> str | None:
    """The value of If-Match; None: the write depends on nothing."""
    return request.headers.get(HEADER)


def precondition(current: Query | None, tags_of: TagsOf = tags_of_document) -> Match | None:
    """Return the required ETags of the row, or None. `current` is the body of GET at the same address."""
    tags = sent_tags()
    if tags is None:
        return None
    if current is None:
        raise PreconditionFailed(
            "Nothing at this address has an ETag to compare with; send no If-Match here."
        )

    def check(row: Row | None) -> None:
        if row is None:
            raise NotFound()
        present = tags_of(row)
        if not (present if tags.strip() == "*" else matches_strongly(tags, present)):
            raise PreconditionFailed()

    return Match(current, check)
