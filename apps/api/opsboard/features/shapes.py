"""Shapes that answers of more than one area share; they describe the API, Postgres makes the JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

JobStatus = Literal["draft", "active", "on_hold", "completed", "cancelled"]
StepStatus = Literal["pending", "in_progress", "completed", "skipped"]
MachineStatus = Literal["active", "maintenance", "inactive"]
Priority = Literal["low", "normal", "high", "urgent"]


class CustomerName(BaseModel):
    id: int
    name: str
