"""Ids of requests: the caller's own where it looks like one, else its trace's, else the next one of this process."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Iterator

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# W3C Trace Context: version, trace, parent, flags. Later versions may have more behind it; ff is none.
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def trace_id(traceparent: str | None) -> str:
    """The trace that a `traceparent` header names; empty when there is none or it is malformed."""
    found = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    # Version 00 ends with the flags.
    if found is None or (found[2] and found[0].startswith("00-")):
        return ""
    return found[1]


def request_id(given: str | None, traceparent: str | None = None) -> str:
    """The id that the caller gave, that of the trace it takes part in, or a new one.

    A new one has a random beginning and a running number.

    New ones are unique in all processes and cheap to make. They name a request and open nothing: that the next
    one can be guessed does no harm.
    """
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return trace_id(traceparent) or next(_new)


def traceparent_of(request_id: str) -> str:
    """The header that makes a request part of the trace whose id this is; empty for the id of no trace.

    The span in it is new, as that of the first request may have ended long ago.
    """
    is_trace = re.fullmatch(r"(?!0{32})[0-9a-f]{32}", request_id)
    return f"00-{request_id}-{secrets.token_hex(8)}-01" if is_trace else ""


def numbering() -> Iterator[str]:
    beginning = secrets.token_hex(6)
    # Without a step in Python, so that no two threads get the same one.
    return map(beginning.__add__, map("{:08x}".format, itertools.count()))


def begin() -> None:
    """A forked worker would continue its parent's numbers, and so would its siblings: each starts a new sequence."""
    global _new
    _new = numbering()


_new = numbering()
os.register_at_fork(after_in_child=begin)
