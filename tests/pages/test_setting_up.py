"""The first day of a business, and its settings, on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from opsboard.tenants.adding import add_tenant, add_user
from tests.application import Application
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read, sent
from tests.pages.test_looks import overflow, violations
from tests.seed import PASSWORD, Business


@pytest.fixture
def empty(own_app: Application) -> Business:
    """A business in which nothing is recorded; `own_app` signs in to it from here on."""
    url = own_app.database.app_url
    business = Business(add_tenant(url, "gamma", "Gamma works", "UTC"), "gamma", "gamma")
    for role in ("admin", "manager", "operator"):
        add_user(url, "gamma", email=business.email(role), role=role, full_name=role, password=PASSWORD)
    own_app.alpha = business
    return business


def steps(page: Page) -> list[list[str]]:
    """Name and state of each line of the checklist."""
    lines = page.locator(".checklist li")
    return [
        [line.locator(".line-main > :first-child").inner_text(), line.locator(":scope > :last-child").inner_text()]
        for line in lines.all()
    ]  # fmt: skip


def test_an_empty_business_is_greeted_by_a_checklist_until_its_first_job(
    empty: Business, own_visit: Visiting, own_app: Application
) -> None:
    page = own_visit("admin").open_board()
    expect(page.get_by_role("heading", name="Set up Gamma works")).to_be_visible()
    expect(page.locator(".figure:visible")).to_have_count(0)
    assert [name for name, _ in steps(page)] == [
        "Machines",
        "Processes",
        "Working hours",
        "People",
        "First job",
    ]
    assert dict(steps(page))["People"].endswith("2 other people")
    assert dict(steps(page))["First job"] == "Nothing yet"
    page.get_by_role("link", name="First job").click()
    page.get_by_label("Title (required)").fill("Bracket")
    page.get_by_role("button", name="Add job").click()
    expect(page.get_by_role("heading", name="Bracket")).to_be_visible()
    page.get_by_role("link", name="Board", exact=True).click()
    expect(page.locator("[data-count='jobs.total'] .value")).to_have_text("1")
    expect(page.locator(".first-day")).to_be_hidden()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_checklist_has_no_barriers_and_offers_what_the_role_may_do(
    empty: Business, own_visit: Visiting, look: str
) -> None:
    offered = {
        "admin": ["Machines", "Processes", "Working hours", "People", "First job"],
        "manager": ["Machines", "Processes", "Working hours", "First job"],
        "operator": [],
    }
    for role in offered if look == "phone" else ["admin"]:
        page = own_visit(role, look).open_board()
        if look == "phone":
            page.set_viewport_size({"width": 320, "height": 640})
        expect(page.get_by_role("heading", name="Set up Gamma works")).to_be_visible()
        assert [name for name, _ in steps(page)] == offered[role]
        assert violations(page) == []
        assert overflow(page) <= 0


def test_settings_are_changed_taken_back_and_refused_at_their_field(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("admin")
    before = read(own_app, "/api/settings")
    page = visitor.open_board()
    page.get_by_role("link", name="Settings").click()
    visitor.expected = ["400"]
    page.get_by_label("Closes at").fill("06:00")
    page.get_by_label("Opens at").fill("07:00")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#field-closes_at-problem")).to_contain_text("later than opens_at")
    page.get_by_label("Closes at").fill("23:00")
    page.get_by_label("Reply to messages automatically").set_checked(not before["auto_reply"])
    page.get_by_label("Changes that contradict the records").select_option("refuse")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#toasts")).to_contain_text("Saved the settings.")
    after = read(own_app, "/api/settings")
    assert (after["opens_at"], after["closes_at"]) == ("07:00", "23:00")
    assert (after["auto_reply"], after["contradictions"]) == (not before["auto_reply"], "refuse")
    kept = before.keys() - {"opens_at", "closes_at", "auto_reply", "contradictions", "updated_at"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")
    undone = read(own_app, "/api/settings")
    assert {**undone, "updated_at": None} == {**before, "updated_at": None}


def test_somebody_elses_settings_are_not_overwritten(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("admin")
    visitor.expected = ["412"]
    page = visitor.open_board("#/settings")
    page.get_by_label("Currency (required)").fill("CHF")
    found = read(own_app, "/api/settings")
    body = {name: value for name, value in found.items() if name not in ("business", "updated_at")}
    assert own_app.client().put("/api/settings", json={**body, "currency": "USD"}).status_code == 200
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("heading", name="Somebody else changed this meanwhile")).to_be_visible()
    page.get_by_role("radio", name="Yours: CHF").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#toasts")).to_contain_text("Saved the settings.")
    assert read(own_app, "/api/settings")["currency"] == "CHF"


def test_the_business_gets_another_name_everywhere(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("admin")
    page = visitor.open_board("#/settings")
    page.get_by_label("Name of the business").fill("Hill and Mill")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save business").click()
    expect(page.locator("#business")).to_have_text("Hill and Mill")
    assert sent(visitor)[0] == ("PATCH", "/api/tenant", {"name": "Hill and Mill", "time_zone": "Asia/Tokyo"})
    assert read(own_app, "/api/tenant")["time_zone"] == "Asia/Tokyo"


def test_others_read_the_settings_and_find_no_form(visit: Visiting) -> None:
    page = visit("manager").open_board()
    expect(page.get_by_role("link", name="Settings")).to_be_hidden()
    page.evaluate("location.hash = '#/settings'")
    expect(page.locator(".account")).to_contain_text("Time zone")
    expect(page.locator("main form, main button")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_settings_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("admin", look).open_board("#/settings")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    expect(page.get_by_label("Text of the automatic reply")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0
