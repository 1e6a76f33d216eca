"""The page for everybody: contrast, names and order by axe; phone, print, theme and keyboard."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import LOOKS, change_answer, until
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting

VIEWS = {
    "board": "/",
    "jobs": "/#/jobs",
    "job": "/#/jobs?q=canaryalpha-0008",
    "at risk": "/#/jobs/at-risk",
    "my work": "/#/work",
    "steps": "/#/job-steps?mine=true",
    "machines": "/#/machines",
    "load": "/#/load",
    "notifications": "/#/notifications",
    "leads": "/#/leads?status=unprocessed,new",
    "approvals": "/#/workflow-approvals",
    "pending": "/#/workflow-approvals/pending",
    "campaigns": "/#/campaigns",
    "recipients": "/#/campaigns/active/recipients",
    "journeys": "/#/journeys",
    "contacts": "/#/journeys/contacts",
    "customers": "/#/customers",
    "working hours": "/#/working-hours",
    "holidays": "/#/holidays",
    "contacts of customers": "/#/contacts",
}


def violations(page: Page, part: str | None = None) -> list[str]:
    # Of what is in order axe then gathers no details, which takes longer than finding what is not.
    found = Axe().run(page, context=part, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {node['html'][:120]} {node['failureSummary']}" for v in found for node in v["nodes"]]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", VIEWS)
def test_view_has_no_barriers(visit: Visiting, look: str, view: str) -> None:
    page = visit("manager", look).open_board(VIEWS[view])
    if view == "job":
        page.locator(".list-table .named").last.click()
        expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    if view == "board":
        expect(page.locator("#floor li")).to_have_count(11)
    assert violations(page) == []
    assert overflow(page) <= 0
    if look == "light":
        page.emulate_media(forced_colors="active")
        assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
def test_sign_in_has_no_barriers(visit: Visiting, look: str) -> None:
    page = visit(None, look).open()
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#sign-in-problem")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize(
    ("look", "some"),
    [*((look, 1) for look in LOOKS), pytest.param("light", None, marks=pytest.mark.slow)],
)
def test_documentation_has_no_barriers(visit: Visiting, look: str, some: int | None) -> None:
    """Areas look alike: one stands for all in the short form."""
    visitor = visit(None, look)
    page = visitor.open("/docs")
    assert violations(page) == []
    assert overflow(page) <= 0
    areas = page.locator(".areas h3 a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert "/docs/jobs" in areas
    for area in ["/docs/jobs", *areas][:some]:
        page = visitor.open(area)
        page.locator("summary").evaluate_all("all => all.forEach(summary => summary.click())")
        assert violations(page) == [], area
        assert overflow(page) <= 0, area


@pytest.mark.parametrize("address", ["/docs", "/docs/conversations", "/docs/journeys"])
def test_documentation_fits_a_narrow_screen(visit: Visiting, address: str) -> None:
    visitor = visit(None)
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(visitor.open(address)) <= 0


@pytest.mark.parametrize("state", ["late", "lost"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_trouble_is_readable(visit: Visiting, look: str, state: str) -> None:
    page = visit("manager", look).open_board()
    # Only the colours are looked at here; how the state comes about is tested with the poll.
    page.evaluate(
        "state => { document.hidden || (document.getElementById('freshness').dataset.state = state) }", state
    )
    assert violations(page) == []


@pytest.mark.parametrize(
    ("width", "height"), [(320, 640), (820, 1180), (1100, 800), (1920, 1080), (3840, 2160)]
)
def test_nothing_is_wider_than_the_screen(visit: Visiting, width: int, height: int) -> None:
    visitor = visit("manager")
    visitor.page.set_viewport_size({"width": width, "height": height})
    page = visitor.open_board()
    expect(page.locator("#month-chart .chart-bar").first).to_be_attached()
    assert overflow(page) <= 0
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim())"
    assert page.locator(".figure .value, .figures, .card, .bar").evaluate_all(cut) == []


def test_theme_button_turns_dark_and_is_remembered(visit: Visiting) -> None:
    page = visit("manager").open_board()
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    bar = "getComputedStyle(document.querySelector('#status-chart .is-active .chart-bar')).backgroundColor"
    blue = page.evaluate(bar)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert until(page, f"{paper} !== '{light}' && {paper}")
    assert until(page, f"{bar} !== '{blue}' && {bar}")
    page.reload()
    assert page.evaluate(paper) != light
    page.get_by_role("button", name="Switch between light and dark").click()
    assert until(page, f"{paper} === '{light}'")
    assert page.evaluate("localStorage.length") == 0


def test_keyboard_reaches_content_first_and_focus_is_seen(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#/jobs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New job")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Words of number or title")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_paper_shows_numbers_on_white_without_controls(visit: Visiting) -> None:
    page = visit("manager", "dark").open_board()
    page.emulate_media(media="print")
    expect(page.locator("[data-count='jobs.active'] .value")).to_be_visible()
    expect(page.locator("#areas")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_reduced_motion_stops_the_pulse(visit: Visiting) -> None:
    page = visit("manager").open_board()
    assert page.evaluate("getComputedStyle(document.querySelector('.pulse')).animationName") == "none"


def test_times_are_those_of_the_business_and_have_a_date_when_it_is_not_today(visit: Visiting) -> None:
    # The browser's own zone is New York's, the business's is UTC.
    visitor = visit("manager")
    page = visitor.page
    changed = {"as_of": "2026-03-01T02:03:04+00:00"}
    change_answer(page, "/api/dashboard/stats", lambda stats: {**stats, **changed})
    page.clock.install(time="2026-03-01T12:00:00Z")
    visitor.open_board()
    expect(page.locator("#freshness")).to_contain_text("As of 02:03:04, checked")
    changed["as_of"] = "2026-02-27T23:03:04+00:00"
    let_pass_until_shown(page, page.locator("#freshness"), "As of 27 Feb 2026, 23:03, checked")


def test_business_that_stands_still_says_of_which_day_its_records_are(
    own_visit: Visiting, own_app: Application
) -> None:
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        connection.cursor().execute("UPDATE tenants SET as_of = '2014-05-31' WHERE slug = 'alpha'")
    page = own_visit("manager").open_board()
    expect(page.locator("#records-as-of")).to_have_text("Records as of 31 May 2014: “today” is that day.")
    assert violations(page) == []
