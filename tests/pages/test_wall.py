"""The wall: one business, read across a hall, at any ratio, and honest while nobody looks after it."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.features.test_api_tokens import make
from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations
from tests.pages.week_on_a_wall import HOUR, Week

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


def test_a_link_needs_no_sign_in_and_leaves_no_trace(own_visit: Visiting, own_app: Application) -> None:
    """Its token is in no request but its header, and not in the address; a revoked one shows no number any more."""
    made = make(own_app, "wall", areas=["jobs", "machines"])
    visitor = own_visit(None)
    visitor.expected = ["401"]
    page = open_wall(visitor, urlsplit(made["url"])._replace(scheme="", netloc="").geturl())
    expect(page.locator("[data-wall=active]")).to_have_text("24")
    assert page.locator(".wall-area").count() == 2
    assert made["token"] not in page.url
    page.reload()
    page.wait_for_selector("#freshness[data-state=fresh]")
    secret = made["token"].rpartition(".")[2]
    for request in visitor.requests:
        headers = request.headers
        assert secret not in request.url
        assert secret not in "".join(value for name, value in headers.items() if name != "authorization")
    asked = {urlsplit(request.url).path for request in visitor.requests if "/api/" in request.url}
    assert asked == {"/api/wall"}
    assert page.context.cookies() == []
    assert own_app.client().delete(f"/api/tokens/{made['id']}").status_code == 200
    let_pass_until(page, lambda: page.locator("main", has_text="has ended").count() == 1, 60)
    expect(page.locator("[data-wall], main a")).to_have_count(0)


def test_an_admin_makes_a_link_on_the_page_and_others_do_not(
    own_visit: Visiting, own_app: Application
) -> None:
    assert own_visit("manager").open_board("#/account").get_by_role("button", name="Make link").count() == 0
    page = own_visit("admin").open_board("#/account")
    page.get_by_label("Screen (required)").fill("Hall 2")
    page.get_by_label("Leads and approvals").uncheck()
    page.get_by_role("button", name="Make link").click()
    address = page.get_by_label("Address", exact=True)
    expect(address).to_have_value(re.compile(r"/wall#token=opsb_"))
    expect(page.get_by_role("row", name=re.compile("Hall 2"))).to_contain_text(
        "wall: jobs, overdue jobs, machines"
    )
    assert violations(page) == []
    screen = open_wall(
        own_visit(None), urlsplit(address.input_value())._replace(scheme="", netloc="").geturl()
    )
    assert screen.locator(".wall-area").count() == 3


def test_a_sign_in_is_renewed_for_as_long_as_the_screen_runs(
    own_visit: Visiting, own_app: Application
) -> None:
    tokens = own_app.services.sign_in.tokens
    passed = -2.0 * tokens.ttl  # no token may be issued in the future
    tokens.clock = lambda: time.time() + passed
    page = open_wall(own_visit("operator"))

    def cookie() -> Any:
        return [cookie["value"] for cookie in page.context.cookies()]

    for _ in range(3):
        before = cookie()
        passed += tokens.ttl * 0.6
        own_app.services.store.bump(own_app.alpha.id, {"jobs"})
        let_pass_until(page, lambda before=before: cookie() != before, 60)
        assert state(page) == "fresh"
    expect(page.locator("[data-wall=active]")).to_have_text("24")


# Twenty outages of 1 to 600 seconds.
OUTAGES = [(number * 8 * HOUR + 1_800, 1 + number * 599 // 19) for number in range(20)]
WEEKS = [
    pytest.param(Week(6, [(1_800, 1), (9_000, 90), (16_200, 600)], [3 * HOUR + 600]), id="a shift"),
    pytest.param(
        Week(168, OUTAGES, [50 * HOUR + 600, 110 * HOUR + 600]), id="a week", marks=pytest.mark.slow
    ),
]


@pytest.mark.parametrize("week", WEEKS)
def test_it_runs_on_without_growing_and_without_an_old_number(
    visit: Visiting, app: Application, week: Week
) -> None:
    """The memory in use stays within 5 % between two loads, and a number older than a minute is always marked."""
    visitor = visit("operator")
    week.open(visitor, app.client("operator").get("/api/wall").json)
    asked, oldest = week.run(visitor.page)
    assert asked > week.hours * HOUR / 5 * 0.7
    assert oldest > 500
    assert len(week.heaps) == len(week.deploys) + 1
    for early, late in week.heaps:
        assert late < early * 1.05, week.heaps
