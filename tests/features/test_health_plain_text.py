"""Answers about health as lines for grep, when text/plain is asked for; JSON otherwise."""

from __future__ import annotations

import pytest

from opsboard.features.health.plain_text import flat
from tests.application import Application

TEXT = {"Accept": "text/plain"}


def test_each_value_is_a_line_with_its_path() -> None:
    document = {"status": "ok", "pool": {"in_use": 3, "full": False}, "warnings": ["a\nb", None], "none": []}
    assert list(flat(document)) == [
        ("status", "ok"), ("pool.in_use", "3"), ("pool.full", "false"), ("warnings.0", "a b"), ("warnings.1", "-"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/health", "/health", "/api/health/ready"])
def test_open_answers(app: Application, path: str) -> None:
    client = app.client(None)
    answer = client.get(path, headers=TEXT)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    lines = dict(line.split(" ", 1) for line in answer.get_data(as_text=True).splitlines())
    assert lines["status"] in ("ok", "ready")
    for accepted in ("*/*", "application/json", "application/json, text/plain;q=0.5", ""):
        assert client.get(path, headers={"Accept": accepted}).is_json, accepted


def test_answers_for_operators_and_refusals(app: Application) -> None:
    text = app.client().get("/api/health/db", headers=TEXT).get_data(as_text=True)
    assert "\npool_stats." in text and "\nserver.max_connections " in text
    refused = app.client("operator").get("/api/health/db", headers=TEXT)
    assert refused.status_code == 403 and "code forbidden\n" in refused.get_data(as_text=True)
    assert app.client().get("/api/jobs", headers=TEXT).is_json
