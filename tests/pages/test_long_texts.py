"""The longest text that each field allows, with spaces, without, and as an address, at three widths on every view."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.conftest import Visiting
from tests.pages.test_job_status import address
from tests.pages.test_looks import overflow

# Table -> its texts with the most characters of each.
LONGEST = {
    "jobs": {"job_number": 50, "title": 200, "description": 10_000},
    "contacts": {"name": 200, "email": 254, "phone": 50},
    "customers": {"name": 200, "email": 254, "phone": 50, "address": 1000},
    "machines": {"name": 200, "location": 200},
    "processes": {"name": 200},
    "users": {"full_name": 200},
    "leads": {"name": 200, "email": 254, "phone": 50, "source": 100, "category": 100},
    "response_approvals": {"subject": 200},
    "campaigns": {"name": 200},
    "campaign_recipients": {"address": 254, "name": 200},
    "journeys": {"name": 200, "description": 2000},
    "journey_nodes": {"name": 100},
    "notifications": {"title": 200, "body": 2000},
    "tenants": {"name": 200},
}
KIND = """left(id || CASE id %% 3
    WHEN 0 THEN repeat(' Bracket, laser cut', 600)
    WHEN 1 THEN repeat('W', 10000)
    ELSE 'https://example.com/' || repeat('drawings/0815?rev=', 600)
END, %s)"""
VIEWS = [
    "#/", "#/jobs", "#/jobs/at-risk", "#/job-steps", "#/machines", "#/customers", "#/users", "#/leads",
    "#/workflow-approvals", "#/workflow-approvals/pending", "#/campaigns", "#/campaigns/active/recipients",
    "#/journeys", "#/journeys/contacts", "#/notifications", "#/contacts", "#/jobs/1", "#/jobs/2", "#/jobs/3",
]  # fmt: skip
WIDTHS = (320, 390, 1440)
# Elements wider than their box, and parts of a row that overlap.
COVERED = """() => {
    const boxes = "main :is(legend, label, th, td, dd, li, h1, a, p), .bar > :not(nav, .icon-button)";
    const isWide = (box) => {
        const { display, overflowX } = getComputedStyle(box);
        const isShown = box.clientWidth && display !== "inline" && !box.matches(".visually-hidden, .visually-hidden *");
        return isShown && overflowX === "visible" && box.scrollWidth > box.clientWidth + 1;
    };
    const crossed = [];
    for (const row of document.querySelectorAll("main tr, .lines > li, .facts, .list-head, .bar")) {
        const parts = [...row.children].filter((part) => part.clientWidth);
        parts.forEach((part, index) => parts.slice(index + 1).forEach((other) => {
            const [a, b] = [part.getBoundingClientRect(), other.getBoundingClientRect()];
            const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (across > 1 && down > 1) crossed.push(part);
        }));
    }
    const found = [...[...document.querySelectorAll(boxes)].filter(isWide), ...crossed];
    return found.map((part) => `${part.tagName}.${part.className} ${part.textContent.slice(0, 40)}`);
}"""

LISTS = [
    "jobs", "jobs/at-risk", "job-steps", "machines", "stops", "problems", "work?sort=-started_at",
    "customers", "contacts", "users", "leads", "workflow-approvals", "workflow-approvals/pending",
    "campaigns", "campaigns/active/recipients", "journeys", "journeys/contacts", "notifications",
    "audit",
]  # fmt: skip
# Dates and times on more than one line, and choices wider than their box.
BROKEN = """() => {
    const date = /^(\\d{1,2} \\w{3,4} \\d{4}(, \\d\\d:\\d\\d)?|(today|yesterday|tomorrow).*|(in )?\\d+ days.*)$/;
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const found = [];
    for (let text; (text = texts.nextNode());) {
        const range = document.createRange();
        range.selectNodeContents(text);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (date.test(text.data.trim()) && lines.size > 1) found.push(text.data);
    }
    for (const choice of document.querySelectorAll(".filters select")) {
        const width = choice.clientWidth;
        Object.assign(choice.style, { fieldSizing: "content", width: "max-content" });
        if (choice.clientWidth > width) found.push(`${choice.name}: ${choice.selectedOptions[0].text}`);
        Object.assign(choice.style, { fieldSizing: "", width: "" });
    }
    return found;
}"""


@pytest.fixture
def long_app(own_app: Application) -> Application:
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        for table, columns in LONGEST.items():
            changes = ", ".join(f"{column} = {KIND}" for column in columns)
            cursor.execute(f"UPDATE {table} SET {changes}", tuple(columns.values()))
    return own_app


def faults(page: Page) -> dict[str, object]:
    found: dict[str, object] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(30)
        if (beyond := overflow(page)) > 0 or page.evaluate(COVERED):
            found[str(width)] = (beyond, page.evaluate(COVERED)[:4])
    return found


def test_no_text_is_wider_than_its_place_on_any_view(own_visit: Visiting, long_app: Application) -> None:
    page = own_visit("manager").open_board()
    found = {}
    for view in VIEWS:
        page.evaluate("view => { location.hash = view }", view)
        expect(page.locator("main .waiting")).to_have_count(0)
        expect(page.locator(".lines li, .list-table tbody tr").first).to_be_visible()
        if wrong := faults(page):
            found[view] = wrong
    assert found == {}


def test_dates_stay_on_one_line_and_choices_can_be_read_on_every_list(
    own_visit: Visiting, long_app: Application
) -> None:
    page = own_visit("manager").open_board()
    found, dates = {}, 0
    for area in LISTS:
        page.evaluate("area => { location.hash = `#/${area}` }", area)
        expect(page.locator("main .waiting")).to_have_count(0)
        expect(page.locator(".list-table, .empty-state").first).to_be_visible()
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(30)
            if broken := page.evaluate(BROKEN):
                found[f"{area} at {width}"] = broken[:3]
        dates += page.locator(".list-table .when").count()
    assert found == {}
    assert dates > 50


def test_no_text_is_wider_than_its_place_in_a_form(own_visit: Visiting, long_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["412"]
    page = visitor.open_board("#/jobs/1/edit")
    page.get_by_label("Customer", exact=True).fill("1")
    expect(page.get_by_role("option").first).to_be_visible()
    assert faults(page) == {}
    page.get_by_label("Title (required)").fill("Mine")
    long_app.client("admin").patch("/api/jobs/1", json={"title": "W" * 200, "description": "W" * 10_000})
    page.get_by_label("Description").fill("Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".conflict")).to_be_visible()
    assert faults(page) == {}


def test_no_text_is_wider_than_a_customer_s_page_or_a_message(
    own_visit: Visiting, long_app: Application
) -> None:
    visitor = own_visit("manager")
    page = visitor.open(address(long_app))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert faults(page) == {}
    page = visitor.open_board("#/machines")
    page.locator(".status-choice select").first.select_option("maintenance")
    page.get_by_role("button", name="Set the status").first.click()
    expect(page.locator("#toasts .toast")).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        box = page.locator("#toasts .toast").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
