"""While the server is away: everything stays in sight, figures stay and are marked, errors go when it is back."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting
from tests.pages.test_looks import violations
from tests.pages.test_polling import STATS, let_pass, open_with_clock

LONG = "The database is busy, and this sentence about it is as long as such sentences become. " * 3
BUSY: dict[str, object] = {
    "title": "t",
    "status": 503,
    "code": "pool_timeout",
    "detail": LONG,
    "request_id": "r",
}


def fail(page: Page, path: str, problem: dict[str, object]) -> None:
    body, kind = json.dumps(problem), "application/problem+json"
    page.route(path, lambda route: route.fulfill(status=problem["status"], body=body, content_type=kind))  # type: ignore[arg-type]


def cut_off(page: Page) -> list[str]:
    """Return the parts of the header beyond the edges of the window."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".bar > *")].filter((part) => {
            const { left, right, width } = part.getBoundingClientRect();
            return width && (left < -0.5 || right > innerWidth + 0.5);
        }).map((part) => part.id || part.className)"""
    )
    return found


@pytest.mark.parametrize("detail", ["short", "long"])
def test_an_outage_pushes_nothing_off_the_screen_at_any_width(visit: Visiting, detail: str) -> None:
    visitor = visit("manager")
    visitor.expected = ["503", "ERR_FAILED"]
    page = open_with_clock(visitor)
    if detail == "long":
        fail(page, "**/api/**", BUSY)
        page.evaluate("document.getElementById('business').textContent = 'Business '.repeat(22)")
        page.evaluate("document.getElementById('who').textContent = 'x'.repeat(200)")
    else:
        page.route("**/api/**", lambda route: route.abort())
    let_pass(page, 7, "late")
    for width in range(320, 1921, 40):
        page.set_viewport_size({"width": width, "height": 800})
        assert cut_off(page) == [], width
        assert page.evaluate("document.querySelector('.bar').scrollWidth - innerWidth") <= 0, width
        # On a phone it is in the menu behind the button More.
        assert page.locator("#sign-out, #more").filter(visible=True).count() == 1
    assert violations(page, ".bar") == []


def test_figures_stay_when_moving_about_without_the_server(visit: Visiting) -> None:
    visitor = visit("manager")
    visitor.expected = ["ERR_FAILED"]
    page = open_with_clock(visitor)
    figures = page.locator("[data-count] .value").all_inner_texts()
    page.evaluate("location.hash = '#/jobs'")
    expect(page.locator("#total")).to_have_text("90 jobs")
    numbers = page.locator(".list-table .job-number").all_inner_texts()
    page.route("**/api/**", lambda route: route.abort())
    let_pass(page, 7, "late")
    page.evaluate("location.hash = '#/'")
    expect(page.locator("[data-count='jobs.active'] .value")).to_have_text("24")
    assert page.locator("[data-count] .value").all_inner_texts() == figures
    expect(page.locator("#recent .lines li")).not_to_have_count(0)
    expect(page.locator("#freshness")).to_contain_text("Last good numbers from ")
    expect(page.locator("main[data-stale]")).to_have_count(1)
    page.evaluate("location.hash = '#/jobs'")
    expect(page.locator(".list-table .job-number")).to_have_text(numbers)
    # A view that was never read has nothing to keep.
    page.evaluate("location.hash = '#/machines'")
    expect(page.locator("#freshness")).to_contain_text("No numbers yet.")
    page.unroute("**/api/**")
    let_pass(page, 80, "fresh")
    expect(page.locator("main[data-stale]")).to_have_count(0)
    expect(page.locator(".list-table tbody tr").first).to_be_visible()


def test_an_error_in_the_view_goes_when_its_answer_is_as_before(visit: Visiting) -> None:
    visitor = visit("manager")
    visitor.expected = ["403"]
    page = open_with_clock(visitor)
    refusal = {**BUSY, "status": 403, "code": "forbidden", "detail": "Not now."}
    for address, path, content in (
        ("#/jobs", "**/api/jobs?*", ".list-table"),
        ("#/jobs/1", "**/api/jobs/1", ".facts"),
    ):
        page.evaluate("address => { location.hash = address }", address)
        expect(page.locator(content)).to_be_visible()
        fail(page, path, refusal)
        let_pass_until_shown(page, page.locator("main .problem"), "Not now.")
        page.unroute(path)
        let_pass_until_shown(page, page.locator(content))
        expect(page.locator("main .problem")).to_have_count(0)


def test_a_notice_of_a_write_that_found_no_server_goes_when_the_server_is_back(own_visit: Visiting) -> None:
    visitor: Visit = own_visit("operator")
    visitor.expected = ["ERR_FAILED"]
    page = visitor.page
    page.clock.install()
    visitor.open_board("#/machines")
    page.route("**/api/**", lambda route: route.abort())
    row = page.locator(".list-table tbody tr").first
    row.get_by_role("combobox").select_option("maintenance")
    row.get_by_role("button").click()
    expect(page.locator(".notice")).to_contain_text("The server cannot be reached.")
    let_pass(page, 7, "late")
    page.unroute("**/api/**")
    let_pass(page, 80, "fresh")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_refusal_stays_until_it_is_read(own_visit: Visiting) -> None:
    visitor: Visit = own_visit("operator")
    visitor.expected = ["503"]
    page = visitor.page
    page.clock.install()
    visitor.open_board("#/machines")
    fail(page, "**/api/machines/*", BUSY)
    row = page.locator(".list-table tbody tr").first
    row.get_by_role("combobox").select_option("maintenance")
    row.get_by_role("button").click()
    expect(page.locator(".notice")).to_contain_text("The database is busy")
    before = len(visitor.answers(STATS)) + len(visitor.answers("/api/machines"))
    page.clock.run_for(11_000)
    assert len(visitor.answers("/api/machines")) > before - 1
    expect(page.locator(".notice")).to_contain_text("The database is busy")
