"""One figure of an incident and its bound."""

from __future__ import annotations

from dataclasses import dataclass

# A page of a list that is made anew for each request where the cache is off.
LIST = "/api/jobs?page_size=20"
UNCACHED = {"CACHE_ENABLED": "off"}


@dataclass(frozen=True)
class Finding:
    """A figure, and the bound it has to keep; `at_least` says on which side."""

    words: str
    bound: float
    value: float
    unit: str = ""
    at_least: bool = False
