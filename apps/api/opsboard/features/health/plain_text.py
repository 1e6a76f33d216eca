"""Answers about health as lines of a name and a value, for grep: `Accept: text/plain`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request

JSON = ("application/json", "application/problem+json")


def is_text_preferred() -> bool:
    """Return True if the caller names text/plain and does not prefer JSON; `*/*` is JSON."""
    accepted = request.accept_mimetypes
    return (
        accepted["text/plain"] > 0 and accepted.best_match(["application/json", "text/plain"]) == "text/plain"
    )


def as_plain_text(response: Response) -> Response:
    """After a view: the same facts as lines `pool_stats.in_use 3`; null is `-`."""
    if response.mimetype in JSON and not response.is_streamed and is_text_preferred():
        text = "".join(f"{name} {value}\n" for name, value in flat(json.loads(response.get_data())))
        response.set_data(text)
        response.mimetype = "text/plain"
        response.headers.pop("ETag", None)
    response.vary.add("Accept")
    return response


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value with its path; of an empty list or object there is none."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if members is None:
        yield name, one_line(value)
        return
    for key, member in members:
        yield from flat(member, f"{name}.{key}" if name else str(key))


def one_line(value: Any) -> str:
    if value is None:
        return "-"
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value)
