"""Shapes of answers that every area may use; they describe the API, Postgres makes the JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

RoleName = Literal["admin", "manager", "operator"]


class Named(BaseModel):
    id: int
    name: str


class WriteWarning(BaseModel):
    """A state that contradicts another one and was written anyway: the business warns instead of refusing."""

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
