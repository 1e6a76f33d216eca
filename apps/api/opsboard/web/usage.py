"""Counts the answers of Flask: time by view, and for a business also the bytes of bodies as they are sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from flask import Response, g, request

from opsboard.observability.durations import Sums
from opsboard.observability.usage import Usage
from opsboard.web.services import services


def count_answer(response: Response, seconds: float) -> None:
    """Count an answer; the rest of one that is streamed follows when it has been sent."""
    tally, who = services().tally, g.get("identity")
    sums = tally.usage.of(who.tenant_id) if who is not None else None
    sent = size_of(response, tally.usage, sums) if sums is not None else 0
    tally.answered(request.endpoint or "", response.status_code, seconds, sums, sent)


def size_of(response: Response, usage: Usage, sums: Sums) -> int:
    """Bytes of the body; 0 for one that is streamed, which counts itself."""
    if request.method == "HEAD" or response.status_code == 304:
        return 0
    length = response.headers.get("Content-Length", type=int)
    if length is None and response.is_streamed:
        response.response = counted(response.iter_encoded(), usage, sums)
    elif length is None:
        length = response.calculate_content_length()
    return length or 0


def counted(parts: Iterable[bytes], usage: Usage, sums: Sums) -> Iterator[bytes]:
    """The parts of a body, which take as long as the client reads."""
    began, sent = time.monotonic(), 0
    try:
        for part in parts:
            sent += len(part)
            yield part
    finally:
        if close := getattr(parts, "close", None):
            close()
        usage.add_rest(sums, time.monotonic() - began, sent)
