"""The shapes of the answers about alerts."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.features.health.schemas import Remembered


class AlertState(BaseModel):
    """`since`: since when its condition holds; `fired_at`: since when it has held for long enough."""

    rule: str
    subject: str
    state: Literal["firing", "pending", "cleared"]
    value: float | None
    since: dt.datetime | None
    fired_at: dt.datetime | None
    cleared_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: int | None
    silenced_until: dt.datetime | None
    severity: Literal["warning", "critical"]
    summary: str
    action: str


class AlertRule(BaseModel):
    """`lasts_seconds`: for so long its condition holds before it fires. `here`: the service itself can tell."""

    name: str
    severity: Literal["warning", "critical"]
    lasts_seconds: int
    expression: str
    action: str
    here: bool


class ServiceAlerts(Remembered):
    """`status` is that of the alerts that fire and are not silenced."""

    status: Literal["healthy", "warning", "critical"]
    alerts: list[AlertState]
    rules: list[AlertRule]
