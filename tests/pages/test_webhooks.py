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


def test_a_delivery_shows_each_attempt_and_what_is_sent(own_visit: Visiting, own_app: Application) -> None:
    log = """
        UPDATE deliveries SET attempts = 2, attempt_log = jsonb_build_array(
            jsonb_build_object(
                'at', now(), 'milliseconds', 5012, 'status', NULL, 'error', 'TimeoutError: slow', 'response', NULL
            ),
            jsonb_build_object(
                'at', now(), 'milliseconds', 31, 'status', 503, 'error', 'HTTP 503', 'response', 'come back later'
            )
        ) WHERE tenant_id = %s AND status = 'failed'
    """
    run(own_app, log, own_app.alpha.id)
    page = own_visit("admin").open_board("#/webhooks/deliveries?status=failed")
    page.locator("tbody tr").first.get_by_role("link", name="Job: updated").click()
    expect(page.get_by_role("heading", name="Job: updated")).to_be_visible()
    attempts = page.locator("tbody tr")
    expect(attempts).to_have_count(2)
    expect(attempts.nth(0)).to_contain_text("503")
    expect(attempts.nth(0)).to_contain_text("come back later")
    expect(attempts.nth(1)).to_contain_text("TimeoutError: slow")
    expect(attempts.nth(1)).to_contain_text("5,012 ms")
    expect(page.locator(".sent-text")).to_contain_text(f'"title": "{own_app.alpha.canary}"')
    expect(page.locator(".sent-text")).to_have_css("white-space", re.compile("^(pre-wrap|preserve)"))
    page.get_by_role("button", name=re.compile("^Send Job: updated")).click()
    expect(page.locator("#toasts")).to_contain_text("It is sent again.")
    page.get_by_role("link", name="All deliveries").click()
    page.locator("tbody tr").first.get_by_role("link", name="Job: updated").click()
    expect(page.get_by_text("There was no attempt yet.")).to_be_visible()
    page.get_by_role("link", name=re.compile(r"^Delivery \d+$")).click()
    expect(attempts).to_have_count(2)


def test_a_delivery_that_is_not_there_leads_back(own_visit: Visiting) -> None:
    visitor = own_visit("admin")
    visitor.expected = ["404"]
    page = visitor.open_board("#/webhooks/deliveries/999999")
    expect(page.get_by_role("link", name="All deliveries")).to_be_visible()


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
    page.locator("tbody tr").last.get_by_role("link", name="Job: updated").click()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0
