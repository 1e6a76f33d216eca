"""Ids of requests: the caller's own where it looks like one, else the next one of this process."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Iterator

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(given: str | None) -> str:
    """The id that the caller gave, or a new one: a random beginning and a running number.

    New ones are unique in all processes and cheap to make. They name a request and open nothing: that the next
    one can be guessed does no harm.
    """
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return next(_new)


def numbering() -> Iterator[str]:
    beginning = secrets.token_hex(6)
    # Without a step in Python, so that no two threads get the same one.
    return map(beginning.__add__, map("{:08x}".format, itertools.count()))


def begin() -> None:
    """A forked worker would go on with its parent's numbers, and so would its siblings: each begins anew."""
    global _new
    _new = numbering()


_new = numbering()
os.register_at_fork(after_in_child=begin)
