"""Archiving a record and restoring it: two routes for each kind of record."""

from __future__ import annotations

import datetime as dt

from flask import Response
from pydantic import BaseModel

from opsboard.auth.identity import Role
from opsboard.db.queries import Queries, Query
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.command import command


class Archived(BaseModel):
    """`archived_at` is null for a record that was restored."""

    id: int
    archived_at: dt.datetime | None


def add_archive(area: Area, rule: str, sql: Queries, one: str, *roles: Role) -> None:
    """Add `POST rule/archive` and `POST rule/restore`; `sql` has the queries of these names, `one` is "a customer"."""
    _add(
        area, f"{rule}/archive", sql.archive, roles, f"Archive {one}: lists, counts and search leave it out."
    )
    _add(area, f"{rule}/restore", sql.restore, roles, f"Bring back {one} from the archive.")


def _add(area: Area, rule: str, query: Query, roles: tuple[Role, ...], summary: str) -> None:
    def view(**ids: int) -> Response:
        return command(query, ids)

    view.__name__ = view.__qualname__ = query.name.rpartition(".")[2]
    view.__doc__ = summary
    area.post(rule)(area.output(Archived)(only_for(*roles)(view)))
