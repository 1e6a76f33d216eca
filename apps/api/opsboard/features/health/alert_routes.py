"""/api/health/alerts: what is the matter now, since when, who looks after it, and what is silenced."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import AfterValidator, Field

from opsboard.db.queries import Query
from opsboard.errors import NotFound, OpsboardError
from opsboard.features.health.alert_rules import BY_NAME, DATABASE_DOWN
from opsboard.features.health.alert_schemas import AlertState, ServiceAlerts
from opsboard.features.health.area import area, sql
from opsboard.features.health.database_routes import look
from opsboard.observability import record
from opsboard.web.access import for_operators, operational
from opsboard.web.arguments import Arguments, Text
from opsboard.web.openapi import problems, takes_no_key
from opsboard.web.services import identity, services

LONGEST_SILENCE = 30 * 24 * 60  # minutes


def known(rule: str) -> str:
    if rule not in BY_NAME:
        raise ValueError(f"must be one of {', '.join(BY_NAME)}")
    return rule


class OfAlert(Arguments):
    rule: Annotated[
        Text,
        AfterValidator(known),
        Field(max_length=100, examples=["OpsboardBackupOld"], description="Its name."),
    ]
    subject: Annotated[
        Text, Field(max_length=200, description="As the alert names it; empty where there is only one.")
    ] = ""


class Silence(OfAlert):
    minutes: Annotated[int, Field(ge=0, le=LONGEST_SILENCE, examples=[60], description="0 ends the silence.")]


@area.get("/alerts")
@area.output(ServiceAlerts)
@for_operators
@operational
def alerts() -> Response:
    """The alerts that fire, are about to, or fired in the last seven days; and the rules they come from."""
    try:
        found, age = look(sql.alerts)
    except OpsboardError as error:
        found, age = {"alerts": []}, {"age_seconds": 0.0, "problem": error.detail}
    shown = [*database_away(), *map(described, found["alerts"])]
    loud = {
        alert["severity"] for alert in shown if alert["state"] == "firing" and alert["silenced_until"] is None
    }
    return jsonify(
        status="critical" if "critical" in loud else "warning" if loud else "healthy",
        alerts=shown,
        rules=[
            {
                "name": rule.name, "severity": rule.severity, "lasts_seconds": rule.lasts,
                "expression": rule.expr, "action": rule.action,
                "here": rule.measure is not None or rule.name == DATABASE_DOWN,
            }
            for rule in BY_NAME.values()
        ],
        **age,
    )  # fmt: skip


def database_away() -> list[dict[str, Any]]:
    """The alert that the database cannot be told of, as this worker has it."""
    away = services().alerts.away
    if away is None:
        return []
    since = dt.datetime.fromtimestamp(away.since, dt.UTC).isoformat()
    alert = {
        **dict.fromkeys(AlertState.model_fields),
        "rule": DATABASE_DOWN,
        "subject": "",
        "state": "firing" if away.is_firing else "pending",
        "since": since,
        "fired_at": since if away.is_firing else None,
    }
    return [described(alert)]


def described(alert: dict[str, Any]) -> dict[str, Any]:
    """The alert with its rule's words. A rule of another release has none."""
    rule = BY_NAME.get(alert["rule"])
    return {
        **alert,
        "severity": rule.severity if rule else "warning",
        "summary": rule.sentence(alert["subject"], alert["value"]) if rule else alert["rule"],
        "action": rule.action if rule else "",
    }


@area.post("/alerts/acknowledge")
@area.input(OfAlert, arg_name="wanted")
@area.output(AlertState)
@problems(404, 503)
@takes_no_key
@for_operators
@operational
def acknowledge(wanted: OfAlert) -> Response:
    """Note that you look after an alert that fires; who did so first stays. It ends with the alert."""
    return changed(sql.acknowledge, wanted.model_dump())


@area.post("/alerts/silence")
@area.input(Silence, arg_name="wanted")
@area.output(AlertState)
@problems(503)
@takes_no_key
@for_operators
@operational
def silence(wanted: Silence) -> Response:
    """Let an alert not count for some minutes, also before it fires: for work that is planned."""
    return changed(sql.silence, wanted.model_dump())


def changed(query: Query, values: dict[str, Any]) -> Response:
    request = record.current()
    values["request_id"] = request.request_id if request else None
    row = services().lookout.ask(query, values, identity(), remember=False).row
    if row is None:
        raise NotFound(f"{values['rule']} does not fire.")
    return jsonify(**described(json.loads(row[0])))
