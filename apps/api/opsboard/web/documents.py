"""Shapes that answers of more than one area share; they describe the API, Postgres makes the JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

JobStatus = Literal["draft", "active", "on_hold", "completed", "cancelled"]
StepStatus = Literal["pending", "in_progress", "completed", "skipped"]
MachineStatus = Literal["active", "maintenance", "inactive"]
Priority = Literal["low", "normal", "high", "urgent"]
RoleName = Literal["admin", "manager", "operator"]


class CustomerName(BaseModel):
    id: int
    name: str


class Named(BaseModel):
    id: int
    name: str


class WriteWarning(BaseModel):
    """A state that contradicts another one and was written all the same: the business warns and does not refuse."""

    code: str
    message: str


class Envelope(BaseModel):
    """A page of a list. With `cursor`, the members total, page and total_pages are left out."""

    total: int = 0
    page: int = 1
    page_size: int
    total_pages: int = 0
    has_next: bool
    has_previous: bool
    next_cursor: str | None
    previous_cursor: str | None
