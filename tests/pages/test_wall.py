"""The wall: one business, read across a hall, at any ratio, and honest while nobody looks after it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations

TURN = 20_000  # ms
# Elements beyond the window, or cut off inside their box; names of machines and titles may end in dots.
OUTSIDE = """() => [...document.querySelectorAll("main :is(li, .wall-figure, .value, .wall-words)")].filter((part) => {
    if (!part.checkVisibility()) return false;
    const { left, right, top, bottom } = part.getBoundingClientRect();
    return left < 0 || right > innerWidth + 1 || top < 0 || bottom > innerHeight + 1;
}).map((part) => part.outerHTML.slice(0, 120))"""
LOWEST = (
    "Math.max(...[...document.querySelectorAll('main *')].map(part => part.getBoundingClientRect().bottom))"
)


def open_wall(visitor: Visit, address: str = "/wall") -> Page:
    visitor.page.clock.install()
    page = visitor.open(address)
    page.wait_for_selector("#freshness[data-state=fresh]")
    return page


def state(page: Page) -> str | None:
    return page.locator("#freshness").get_attribute("data-state")


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160), (1080, 1920), (1280, 1024)])
def test_each_area_fills_the_screen_and_nothing_is_cut_off(visit: Visiting, size: tuple[int, int]) -> None:
    visitor = visit("operator")
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = open_wall(visitor)
    titles = []
    for _ in range(4):
        titles.append(page.locator("#title").inner_text())
        assert page.evaluate(OUTSIDE) == [], titles
        assert overflow(page) <= 0
        assert page.evaluate(LOWEST) > size[1] * 0.9, titles
        assert violations(page) == []
        page.clock.run_for(TURN)
    assert titles == ["Jobs", "Overdue", "Machines", "Leads and approvals"]
    expect(page.locator("#title")).to_have_text("Jobs")


def test_figures_are_those_of_the_api_and_nothing_is_mine(visit: Visiting, app: Application) -> None:
    visitor = visit("manager")
    page = open_wall(visitor, "/wall#areas=jobs,sell&seconds=30")
    stats = app.client("manager").get("/api/dashboard/stats").json
    assert stats is not None
    figures = "all => all.map(f => [f.dataset.wall, Number(f.textContent.replace(/\\D/g, ''))])"
    for group in (stats["jobs"], {**stats["leads"], **stats["approvals"]}):
        for name, number in page.locator("[data-wall]:visible").evaluate_all(figures):
            assert number == group[name], name
        page.clock.run_for(30_000)
    expect(page.locator("nav, button")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text(re.compile("My |Sign out"))


@pytest.mark.parametrize(
    "outages",
    [(20, 90), pytest.param(tuple(range(1, 601, 30)), marks=pytest.mark.slow)],
    ids=["two outages", "twenty outages"],
)
def test_an_outage_frames_the_screen_and_ends_by_itself(
    own_visit: Visiting, outages: tuple[int, ...]
) -> None:
    """No number older than a minute is unmarked, and the first answer after an outage ends the mark."""
    visitor = own_visit("operator")
    visitor.expected = ["ERR_"]
    page = open_wall(visitor)
    for seconds in outages:
        visitor.site.go_away()
        passed = 0
        while passed < seconds:
            page.clock.run_for(5_000)
            passed += 5
            # The last answer came before the outage began, so every number is at least as old.
            assert passed <= 15 or state(page) in ("late", "lost"), passed
            assert passed <= 60 or state(page) == "lost", passed
        if seconds > 60:
            shadow = "getComputedStyle(document.querySelector('main')).boxShadow"
            assert "rgb(179, 38, 30)" in page.evaluate(shadow)
            expect(page.locator("#freshness-words")).to_contain_text("Last good numbers from ")
        visitor.site.come_back()
        let_pass_until(page, lambda: state(page) == "fresh", 90)
    expect(page.locator("[data-wall=active]")).to_have_text("24")


def test_a_new_version_is_loaded_once_and_not_while_the_server_is_away(visit: Visiting) -> None:
    visitor = visit("operator")
    page = open_wall(visitor)

    def loads() -> int:
        return len([r for r in visitor.requests if r.method == "GET" and urlsplit(r.url).path == "/wall"])

    assert loads() == 1
    page.route(
        "**/wall",
        lambda route: (
            route.fulfill(headers={"ETag": '"of a new version"'})
            if route.request.method == "HEAD"
            else route.continue_()
        ),
    )
    let_pass_until(page, lambda: loads() == 2, 120)
    page.wait_for_selector("#freshness[data-state=fresh]")
    expect(page.locator("[data-wall=active]")).to_have_text("24")


def test_without_a_sign_in_it_says_so_and_an_ended_one_takes_the_numbers_away(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit(None)
    visitor.expected = ["401"]
    expect(visitor.open("/wall").locator("main")).to_contain_text("Nobody is signed in on this screen.")
    visitor = own_visit("operator")
    visitor.expected = ["401"]
    page = open_wall(visitor)
    expect(page.locator("[data-wall=active]")).to_have_text("24")
    page.evaluate("fetch('/api/auth/logout', { method: 'POST' })")
    let_pass_until(page, lambda: page.locator("main", has_text="Nobody is signed in").count() == 1, 60)
    expect(page.locator("[data-wall]")).to_have_count(0)
