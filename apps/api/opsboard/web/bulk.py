"""Bulk changes of status: many rows, one statement, a result for each."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.db.queries import Query
from opsboard.web.arguments import Arguments, Id
from opsboard.web.command import command
from opsboard.web.schemas import WriteWarning

MOST = 1000


class BulkStatus(Arguments):
    """The rows that are to have a status; a subclass adds `status` with its allowed values."""

    status: Any
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST, description=f"{MOST} at most.")]


class RowResult(BaseModel):
    """`reason` says why a row was refused. An id given again is a duplicate: its first mention has the result."""

    id: int
    result: Literal["updated", "unchanged", "refused", "not_found", "duplicate"]
    reason: str | None
    warnings: list[WriteWarning]


class BulkResult(BaseModel):
    """Counts of the results, and the result of each id in the given order."""

    updated: int
    unchanged: int
    refused: int
    not_found: int
    duplicate: int
    results: list[RowResult]


def bulk_status(query: Query, wanted: BulkStatus) -> Response:
    """Give the rows their status by the rules of a single change; each changed row has its audit entry."""
    return command(query, {"ids": wanted.ids, "patch": json.dumps({"status": wanted.status})})
