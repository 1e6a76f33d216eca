"""Counts the answers of Flask in the use of a business: time, and the bytes of bodies as they are sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from flask import Response, request

from opsboard.observability.usage import Sums, Usage
from opsboard.web.services import services


def count_usage(response: Response, business: int, seconds: float) -> None:
    """Count an answer; the rest of one that is streamed follows when it has been sent."""
    usage = services().tally.usage
    sums = usage.of(business)
    if request.method == "HEAD" or response.status_code == 304:
        return usage.add(sums, seconds, 0)
    length = response.headers.get("Content-Length", type=int)
    if length is None and response.is_streamed:
        response.response = counted(response.iter_encoded(), usage, sums)
    elif length is None:
        length = response.calculate_content_length()
    return usage.add(sums, seconds, length or 0)


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
        usage.add(sums, time.monotonic() - began, sent, requests=0)
