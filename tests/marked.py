"""A part of a document that a script writes, between two marks."""

from __future__ import annotations


def with_part(document: str, begin: str, end: str, part: str) -> str:
    """Return the document with this part between its marks; ValueError if it has no such marks."""
    before, begun, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"the document has no {begin.strip()} and {end.strip()}")
    return before + begin + part + end + after
