"""Idempotency-Key: a write that is sent again is answered again, and done once.

After the IETF draft "The Idempotency-Key HTTP Header Field". The key, what was asked with it and the answer are a row
that is written in the transaction of the write itself: whatever is killed, there are both or neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from flask import request

from opsboard.db.database import Match, Once, Row
from opsboard.db.queries import Query, load_queries
from opsboard.errors import InvalidInput, KeyInUse, KeyMisused, KeyTaken, OpsboardError
from opsboard.web.preconditions import sent_tags
from opsboard.web.problems import PROBLEM_JSON, ours
from opsboard.web.services import identity, services

sql = load_queries(__package__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# A string of RFC 8941, in quotes; most clients leave them out.
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
PLAIN = re.compile(r"[!-~](?:[ -~]*[!-~])?")
LONGEST = 255


class Answer(NamedTuple):
    """The answer to a write."""

    status: int
    body: str
    location: str | None
    media_type: str


def sent_key() -> str | None:
    """The key of this request, without its quotes; None: it has none."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if quoted := QUOTED.fullmatch(text):
        text = re.sub(r'\\(["\\])', r"\1", quoted[1])
    elif text.startswith('"') or not PLAIN.fullmatch(text):
        text = ""
    if not 0 < len(text) <= LONGEST:
        message = f"must be 1 to {LONGEST} printable ASCII characters, in quotes or without"
        raise InvalidInput(fields=[{"field": HEADER, "in": "headers", "message": message}])
    return text


def done_once(
    key: str,
    query: Query,
    given: Mapping[str, Any],
    made: Callable[[Row | None], Answer],
    match: Match | None = None,
    body: bytes | None = None,
) -> tuple[Answer, bool]:
    """The answer of a write that is done once for its key, and whether it was done before.

    `made` gives the answer for the write's row or raises what is in the way, which is kept as well: the same request
    has the same answer. What went wrong on our side is not kept.
    """
    database, who = services().database, identity()
    asked = {"idempotency_key": key, "fingerprint": fingerprint(body)}
    answer: Answer | None = None
    refusal: OpsboardError | None = None

    def kept(row: Row | None) -> dict[str, Any]:
        nonlocal answer, refusal
        try:
            answer = made(row)
        except OpsboardError as error:
            refusal = error
        return columns(answer or as_answer(refusal))

    try:
        once = Once(sql.take_key, sql.keep_answer, asked, kept)
        database.fetch_conditionally(query, who, given, once, match)
    except KeyTaken:
        return before(asked), True
    except OpsboardError as error:
        if error.status < 500 and not isinstance(error, KeyInUse):
            database.fetch_row(sql.keep_refusal, who, {**asked, **columns(as_answer(error))})
        raise
    if answer is None:
        raise refusal or KeyInUse()
    return answer, False


def before(asked: Mapping[str, Any]) -> Answer:
    """The answer that was kept. Raises KeyMisused when it was given to another request."""
    row = services().database.fetch_row(
        sql.kept_answer, identity(), {"idempotency_key": asked["idempotency_key"]}
    )
    if row is None:  # its day has ended at this very moment
        raise KeyInUse()
    if row[0] != asked["fingerprint"]:
        raise KeyMisused()
    return Answer(*row[1:])


def as_answer(refusal: OpsboardError | None) -> Answer:
    assert refusal is not None
    return Answer(refusal.status, ours(refusal).get_data(as_text=True), None, PROBLEM_JSON)


def columns(answer: Answer) -> dict[str, Any]:
    return {
        "answer_status": answer.status,
        "answer_body": answer.body,
        "answer_location": answer.location,
        "answer_type": answer.media_type,
    }


def fingerprint(body: bytes | None = None) -> str:
    """Return the digest of a request: method, address, body and, if sent, If-Match.

    `body` stands for a body that was read already and is too large to keep.
    """
    content = request.get_data(cache=True) if body is None else body
    parts = [request.method.encode(), request.full_path.encode(), content]
    if (tags := sent_tags()) is not None:
        parts.append(tags.encode())
    return blake2b(b"\0".join(parts), digest_size=32).hexdigest()
