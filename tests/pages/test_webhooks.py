"""Webhooks on the page: added with a secret that is shown once, tested, paused, and the log of deliveries."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.features.test_work import run
from tests.pages.conftest import Visiting
from tests.pages.test_accounts import go_to
from tests.pages.test_looks import overflow, violations


def test_a_webhook_is_added_tested_and_paused(own_visit: Visiting, own_app: Application) -> None:
    run(own_app, "DELETE FROM webhooks")
    visitor = own_visit("admin")
    page = visitor.open_board("#/settings")
    page.get_by_role("link", name="Webhooks", exact=True).click()
    visitor.expected = ["400"]
    page.get_by_label("Address (required)").fill("https://10.0.0.1/hook")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.locator("#field-url-problem")).to_contain_text("no public address")
    page.get_by_label("Address (required)").fill("https://erp.example/hook")
    page.get_by_label("What it is for").fill("ERP")
    page.get_by_label("Job: status changed").check()
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_label("Secret", exact=True)).to_have_value(re.compile("^whsec_"))
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("Job: status changed")
    page.get_by_role("button", name="Send a test: erp.example").click()
    expect(page.locator("#toasts")).to_contain_text("A test event was sent")
    page.get_by_role("button", name="Pause: erp.example").click()
    expect(row).to_contain_text("Paused")
    page.get_by_role("link", name="Deliveries to erp.example").click()
    expect(page.locator("tbody tr").first).to_contain_text("Webhook: ping")
    assert run(own_app, "SELECT events FROM webhooks") == [(["job.status_changed"],)]


def test_a_delivery_that_failed_is_sent_again(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("admin").open_board("#/webhooks/deliveries?status=failed")
    page.get_by_role("button", name=re.compile("^Send Job: updated")).click()
    expect(page.locator("#toasts")).to_contain_text("It is sent again.")
    found = "SELECT count(*) FROM deliveries WHERE tenant_id = %s AND replay_of IS NOT NULL"
    assert run(own_app, found, own_app.alpha.id) == [(1,)]


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_of_webhooks_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("admin", look).open_board("#/webhooks")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert violations(page) == []
    assert overflow(page) <= 0
    go_to(page, "#/webhooks/deliveries")
    expect(page.locator("#total")).to_have_text("4 deliveries")
    assert violations(page) == []
    assert overflow(page) <= 0
