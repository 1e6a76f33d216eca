"""A machine that stands still is shown with its reason: on the board, in the list and on the wall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.conftest import Visiting


@pytest.fixture
def stopped(app: Application) -> Iterator[dict[str, Any]]:
    client = app.client("manager")
    machines: Any = client.get("/api/machines?status=active").json
    content = {"machine_id": machines["items"][0]["id"], "reason": "Belt torn"}
    stop: Any = client.post("/api/stops", json=content).json
    yield stop["machine"]
    assert client.post(f"/api/stops/{stop['id']}/end", json={}).status_code == 200


def test_a_stopped_machine_tells_since_when_and_why(visit: Visiting, stopped: dict[str, Any]) -> None:
    told = "stopped since today"
    page = visit("operator").open_board()
    line = page.locator(f"#floor li[data-row='{stopped['id']}']")
    expect(line).to_contain_text(told)
    expect(line).to_contain_text("Belt torn")
    base = page.url.split("#")[0]
    page.goto(f"{base}#/machines")
    row = page.locator(f".list-table tr[data-row='{stopped['id']}']")
    expect(row).to_contain_text("Belt torn")
    row.get_by_role("link", name="Belt torn").click()
    expect(page.get_by_role("heading", name="Machine stops")).to_be_visible()
    page.goto(f"{base}wall#areas=machines")
    tile = page.locator(".wall-tiles li").filter(has_text="Belt torn")
    expect(tile).to_contain_text(stopped["name"])
