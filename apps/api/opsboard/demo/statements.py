"""The SQL of the generator, one file for each part of the work."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from opsboard.db.queries import Queries, parse
from opsboard.db.session import Cursor

PARTS = ("bulk", "calendar", "shop", "jobs", "history", "sales", "talk", "journeys", "access")

sql = Queries(
    "demo",
    {
        name: query
        for part in PARTS
        for name, query in parse(
            "demo", (files(__package__) / f"{part}.sql").read_text(encoding="utf-8")
        ).items()
    },
)


def fetch(cursor: Cursor, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a query by its name; all of its rows."""
    cursor.execute(getattr(sql, name).sql, parameters)
    return cursor.fetchall()
