"""Several rows of a list are selected and get one status."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read, sent
from tests.pages.test_looks import overflow, violations


def test_selected_jobs_get_one_status_and_get_it_back(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board("#/jobs?status=draft")
    drafts = read(own_app, "/api/jobs?status=draft")["items"]
    first, second = drafts[0], drafts[1]
    assert page.get_by_role("button", name="Set", exact=True).get_attribute("aria-disabled") == "true"
    page.get_by_label(f"Select {first['job_number']}", exact=True).check()
    page.get_by_label(f"Select {second['job_number']}", exact=True).press("Space")
    expect(page.get_by_text("2 jobs selected")).to_be_visible()
    page.get_by_label("Set the selected to").select_option("on_hold")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("2 jobs set to on hold.")
    ids = [first["id"], second["id"]]
    assert sent(visitor) == [("POST", "/api/jobs/bulk-status", {"ids": ids, "status": "on_hold"})]
    expect(page.locator("#total")).to_have_text(f"{len(drafts) - 2} jobs")
    expect(page.get_by_text("0 jobs selected")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("2 jobs set to draft.")
    assert read(own_app, "/api/jobs?status=draft")["total"] == len(drafts)


def test_a_selection_outlives_a_poll_and_says_what_was_refused(
    own_visit: Visiting, own_app: Application
) -> None:
    settings = {
        name: value
        for name, value in read(own_app, "/api/settings").items()
        if name not in ("business", "updated_at")
    }
    answer = own_app.client().put("/api/settings", json={**settings, "contradictions": "refuse"})
    assert answer.status_code == 200
    page = own_visit("manager").open_board("#/jobs?status=active")
    page.get_by_label("Select all on this page").check()
    jobs = read(own_app, "/api/jobs?status=active&page_size=25")["items"]
    own_app.client().patch(f"/api/jobs/{jobs[-1]['id']}", json={"title": "Another title"})
    expect(page.get_by_text("Another title")).to_be_visible(timeout=20_000)
    expect(page.locator(".select-row:checked")).to_have_count(len(jobs))
    page.get_by_label("Set the selected to").select_option("completed")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("refused")
    completed = read(own_app, "/api/jobs?status=active")["total"]
    assert 0 < completed <= len(jobs)


def test_nobody_is_offered_rows_they_may_not_change(visit: Visiting, app: Application) -> None:
    page = visit("operator").open_board("#/jobs")
    expect(page.locator(".list-table")).to_be_visible()
    expect(page.locator(".bulk, .select-row")).to_have_count(0)
    page = visit("operator").open_board("#/job-steps?status=pending")
    me = read(app, "/api/auth/me", "operator")["id"]
    steps = read(app, "/api/job-steps?status=pending&page_size=25", "operator")["items"]
    theirs = [step for step in steps if (step["assigned_user"] or {"id": me})["id"] == me]
    expect(page.locator(".select-row")).to_have_count(len(theirs))


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_a_selection_has_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("#/jobs")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_label("Select all on this page").check()
    assert violations(page) == []
    assert overflow(page) <= 0
