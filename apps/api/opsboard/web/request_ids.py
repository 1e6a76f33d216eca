"""Ids of requests: the caller's own where it looks like one, else the next one of this process."""

from __future__ import annotations

import itertools
import os
import re
import secrets

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_beginning = secrets.token_hex(6)
_numbers = itertools.count()


def request_id(given: str | None) -> str:
    """The id that the caller gave, or a new one: a random beginning and a running number.

    New ones are unique in all processes and cheap to make. They name a request and open nothing: that the next
    one can be guessed does no harm.
    """
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return f"{_beginning}{next(_numbers):08x}"


def begin() -> None:
    """A forked worker would go on with its parent's numbers, and so would its siblings: each begins anew."""
    global _beginning, _numbers
    _beginning, _numbers = secrets.token_hex(6), itertools.count()


os.register_at_fork(after_in_child=begin)
