"""The dashboard for Grafana has the shape Grafana loads, and asks only for series that exist."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from opsboard.commands.prometheus_rules import recorded
from tests.application import Application
from tests.deploy.test_prometheus import asked_for, promtool, said_by

__all__ = ["promtool"]

FILE = Path(__file__).parents[2] / "deploy" / "grafana-dashboard.json"
SOURCE = {
    "type": "object",
    "required": ["type", "uid"],
    "properties": {"type": {"const": "prometheus"}, "uid": {"const": "${datasource}"}},
}
TARGET = {
    "type": "object",
    "required": ["refId", "expr", "legendFormat", "datasource"],
    "properties": {
        "refId": {"pattern": "^[A-Z]$"}, "expr": {"type": "string", "minLength": 1}, "datasource": SOURCE,
    },
}  # fmt: skip
PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "gridPos"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["row", "timeseries", "stat"]},
        "title": {"type": "string", "minLength": 1},
        "gridPos": {
            "type": "object",
            "required": ["x", "y", "w", "h"],
            "properties": {
                "x": {"type": "integer", "minimum": 0, "maximum": 23}, "y": {"type": "integer", "minimum": 0},
                "w": {"type": "integer", "minimum": 1, "maximum": 24}, "h": {"type": "integer", "minimum": 1},
            },
        },
        "targets": {"type": "array", "minItems": 1, "items": TARGET},
    },
    "if": {"properties": {"type": {"const": "row"}}},
    "else": {"required": ["targets", "datasource", "fieldConfig"]},
}  # fmt: skip
DASHBOARD = {
    "type": "object",
    "required": ["title", "uid", "schemaVersion", "version", "time", "templating", "panels"],
    "properties": {
        "uid": {"type": "string", "maxLength": 40},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {"type": "array", "minItems": 1, "items": PANEL},
    },
    # One that was exported from a Grafana has its own id, by which it would replace another.
    "not": {"required": ["id"]},
}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]


def test_it_has_the_shape_of_a_dashboard() -> None:
    Draft202012Validator.check_schema(DASHBOARD)
    assert [error.message for error in Draft202012Validator(DASHBOARD).iter_errors(dashboard())] == []


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
        assert one["x"] + one["w"] <= 24


def test_it_asks_for_series_that_are_exported_or_recorded(app: Application) -> None:
    text = app.flask.test_client().get("/metrics").get_data(as_text=True)
    families = list(text_string_to_metric_families(text))
    known = {sample.name for family in families for sample in family.samples}
    known |= {family.name + ("_total" if family.type == "counter" else "") for family in families}
    known |= {name for name, _ in recorded()}
    for expression in expressions():
        assert asked_for(expression) and asked_for(expression) <= known, expression


def test_prometheus_understands_each_expression(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"of_panel_{number}", "expr": expression}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    said_by(promtool, "check", "rules", file)


def test_a_wrong_dashboard_is_refused() -> None:
    wrong = dashboard()
    wrong["panels"][1]["targets"] = []
    with pytest.raises(AssertionError):
        assert list(Draft202012Validator(DASHBOARD).iter_errors(wrong)) == []
