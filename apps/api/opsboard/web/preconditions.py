"""If-Match: a write is done if what it changes is still what its sender has read (RFC 9110, 13.1.1)."""

from __future__ import annotations

from flask import request

from opsboard.cache.body import Body, matches_strongly
from opsboard.db.database import Match, Row
from opsboard.db.queries import Query
from opsboard.errors import NotFound, PreconditionFailed

HEADER = "If-Match"


def sent_tags() -> str | None:
    """The value of If-Match; None: the write depends on nothing."""
    return request.headers.get(HEADER)


def precondition(current: Query | None) -> Match | None:
    """What the thing must be for this request, or None. `current` is what GET of the same address answers with."""
    tags = sent_tags()
    if tags is None:
        return None
    if current is None:
        raise PreconditionFailed(
            "Nothing at this address has an ETag to compare with; send no If-Match here."
        )

    def check(row: Row | None) -> None:
        if row is None or row[0] is None:
            raise NotFound()
        if tags.strip() != "*" and not matches_strongly(tags, Body(str(row[0]).encode())):
            raise PreconditionFailed()

    return Match(current, check)
