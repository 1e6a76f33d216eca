"""An endpoint to be measured: what the service sends for it, and the way before that a report compares with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsboard.db.list_statement import Page, compose
from opsboard.db.queries import load_queries

PAGE = 50


@dataclass(frozen=True)
class Before:
    """The way before: these statements, then `each` for every row of the first, with its columns as values.

    Without statements it is our own, after these indexes were dropped.
    """

    words: str
    statements: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """An item of the reference and its figure before and after; `of` is time, statements, memory or bytes."""

    item: str
    before: float
    after: float
    of: str = "time"
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return self.before / self.after

    @property
    def words(self) -> str:
        return f"{self.before:,g} to {self.after:,g} {self.unit}"


@dataclass(frozen=True)
class Endpoint:
    """One row of the table. `values` are the filters of a list, or the parameters of another query."""

    label: str
    claims: tuple[Claim, ...]
    query: str
    path: str
    before: Before
    values: Mapping[str, Any] = field(default_factory=dict)
    sort: str = ""  # of a list; "-" before it: descending
    size: int = PAGE
    fields: str = "id"
    body: Mapping[str, Any] | None = None  # of a POST

    def statement(self) -> tuple[str, dict[str, Any]]:
        """The statement that the service sends, and its parameters."""
        area, name = self.query.split(".")
        query = getattr(load_queries(f"opsboard.features.{area}"), name)
        if not self.sort:
            return query.sql, dict(self.values)
        return compose(query, self.values, Page(self.sort.lstrip("-"), self.sort.startswith("-"), self.size))

    def address(self, **more: str) -> str:
        """The path with its arguments and these."""
        arguments = {"page_size": str(self.size), "sort": self.sort} if self.sort else {}
        joined = "&".join(f"{name}={value}" for name, value in {**arguments, **more}.items())
        return f"{self.path}{'&' if '?' in self.path else '?'}{joined}" if joined else self.path


def without(*indexes: str) -> Before:
    return Before(f"without {', '.join(f'`{name}`' for name in indexes)}", drops=indexes)
