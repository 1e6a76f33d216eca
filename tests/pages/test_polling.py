"""The page stays fresh at little cost, says how fresh it is, and outlives a server that is away."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until, let_pass_until_shown
from tests.pages.conftest import Visiting

STATS = "/api/dashboard/stats"
BATCH = "/api/batch"


def open_with_clock(visitor: Visit) -> Page:
    """A board whose time the test turns forward."""
    visitor.page.clock.install()
    return visitor.open_board()


def wait_for_answers(visitor: Visit, path: str, count: int) -> list[int]:
    while len(visitor.answers(path)) < count:
        visitor.page.wait_for_event("response")
    return visitor.answers(path)


def poll(visitor: Visit) -> None:
    """One round: five seconds go by."""
    before = len(visitor.answers(BATCH))
    let_pass_until(visitor.page, lambda: len(visitor.answers(BATCH)) > before)


def let_pass(page: Page, seconds: int, state: str) -> None:
    """Let at most so many seconds go by until the page says that its numbers are in a state."""
    freshness = page.locator("#freshness")
    let_pass_until(page, lambda: freshness.get_attribute("data-state") == state, seconds)


def test_an_unchanged_board_is_opened_with_few_requests_and_polled_with_one_304(visit: Visiting) -> None:
    visitor = visit("manager")
    page = open_with_clock(visitor)
    expect(page.locator("#floor li")).to_have_count(11)
    opened = {found.url for found in visitor.requests}
    assert len(opened) <= 12, opened
    assert visitor.answers(BATCH) == [200, 200]
    asked = len(visitor.requests)
    poll(visitor)
    poll(visitor)
    assert [urlsplit(found.url).path for found in visitor.requests[asked:]] == [BATCH, BATCH]
    assert visitor.answers(BATCH)[2:] == [304, 304]


def test_a_link_that_is_pressed_is_not_renewed_before_the_click(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board("#/jobs/1")
    title = page.get_by_role("heading", level=1)
    expect(title).to_contain_text(own_app.alpha.canary)
    page.get_by_role("link", name=re.compile("^Edit")).hover()
    page.mouse.down()
    own_app.client().patch("/api/jobs/1", json={"title": "renamed meanwhile"})
    asked = len(visitor.answers("/api/jobs/1"))
    while 200 not in visitor.answers("/api/jobs/1")[asked:]:
        page.wait_for_event("response")
    page.wait_for_timeout(300)
    expect(title).to_contain_text(own_app.alpha.canary)
    page.mouse.up()
    expect(page.get_by_role("heading", name="Edit")).to_be_visible()


def test_a_change_made_elsewhere_appears_within_one_poll(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    page = open_with_clock(visitor)
    active = page.locator("[data-count='jobs.active'] .value")
    expect(active).to_have_text("24")
    job = {"title": "made elsewhere", "status": "active", "due_date": "2020-01-01"}
    assert own_app.client("admin").post("/api/jobs", json=job).status_code == 201
    poll(visitor)
    expect(active).to_have_text("25")
    expect(page.locator("#recent")).to_contain_text("made elsewhere")
    expect(page.locator("#overdue")).to_contain_text("made elsewhere")


def test_a_hidden_page_asks_nothing_and_asks_at_once_when_seen_again(visit: Visiting) -> None:
    visitor = visit()
    page = open_with_clock(visitor)
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    asked = len(visitor.requests)
    page.evaluate(hide + " document.dispatchEvent(new Event('visibilitychange')) }", True)
    page.clock.run_for(60_000)
    assert len(visitor.requests) == asked
    before = len(visitor.answers(BATCH))
    page.evaluate(hide + " document.dispatchEvent(new Event('visibilitychange')) }", False)
    wait_for_answers(visitor, BATCH, before + 1)


def test_server_away_turns_amber_then_red_keeps_the_numbers_and_recovers(own_visit: Visiting) -> None:
    visitor = own_visit()
    visitor.expected = ["ERR_"]  # the browser reports each connection that is refused
    page = open_with_clock(visitor)
    freshness, active = page.locator("#freshness"), page.locator("[data-count='jobs.active'] .value")
    expect(freshness).to_contain_text("As of ")
    visitor.site.go_away()
    let_pass(page, 7, "late")
    expect(freshness).to_contain_text("The server cannot be reached. Last good numbers from ")
    expect(page.locator("#announcer")).to_contain_text("The numbers shown are the last good ones.")
    let_pass(page, 70, "lost")
    expect(active).to_have_text("24")
    visitor.site.come_back()
    let_pass(page, 80, "fresh")  # the longest pause there is, with its jitter
    expect(page.locator("#announcer")).to_contain_text("The server answers again")


def test_an_error_of_the_server_is_told_with_its_words(visit: Visiting) -> None:
    visitor = visit()
    visitor.expected = ["503"]
    page = open_with_clock(visitor)
    body = '{"title": "t", "status": 503, "code": "pool_timeout", "detail": "The database is busy.", "request_id": "r"}'
    headers = {"Content-Type": "application/problem+json", "Retry-After": "120"}
    page.route(f"**{BATCH}?*", lambda route: route.fulfill(status=503, body=body, headers=headers))
    let_pass_until_shown(page, page.locator("#freshness"), "The database is busy.")
    expect(page.locator("#freshness")).to_contain_text("Next try in 2 min")


def test_pauses_grow_spread_and_have_an_end(visit: Visiting) -> None:
    page = visit(role=None).open()
    pauses = page.evaluate(
        """async () => {
            const { pause } = await import("/static/poller.js");
            return [0, 1].map((luck) => [1, 2, 3, 4, 5, 50].map((failures) => pause(failures, 0, () => luck)));
        }"""
    )
    assert pauses == [
        [3750, 7500, 15000, 30000, 45000, 45000],
        [6250, 12500, 25000, 50000, 75000, 75000],
    ]


def test_page_opened_while_the_server_fails_comes_back_by_itself(visit: Visiting) -> None:
    visitor = visit()
    visitor.expected = ["ERR_FAILED"]
    page = visitor.page
    page.clock.install()
    page.route("**/api/auth/me", lambda route: route.abort())
    visitor.open()
    expect(page.locator("main")).to_contain_text("The server cannot be reached.")
    page.unroute("**/api/auth/me")
    let_pass_until_shown(page, page.locator("[data-count='jobs.active'] .value"), "24")


def test_a_poll_renews_only_the_row_that_changed(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.page.clock.install()
    page = visitor.open_board("#/machines")
    machines = own_app.client().get("/api/machines?sort=name").json["items"]  # type: ignore[index]
    rows = "document.querySelectorAll('.list-table tbody tr')"
    page.evaluate(f"{rows}.forEach(row => (row.wasThere = true))")
    page.evaluate(f"getSelection().selectAllChildren({rows}[5].querySelector('.job-number'))")
    selected = page.evaluate("getSelection().toString()")
    changed = machines[2]["id"]
    assert (
        own_app.client().patch(f"/api/machines/{changed}", json={"status": "maintenance"}).status_code == 200
    )
    row = page.locator(f"tr[data-row='{changed}']")
    let_pass_until_shown(page, row.locator(".chip"), "Maintenance")
    kept = page.evaluate(f"[...{rows}].map(row => [row.dataset.row, Boolean(row.wasThere)])")
    assert [int(id) for id, was_there in kept if not was_there] == [changed]
    assert len(kept) == len(machines)
    assert page.evaluate("getSelection().toString()") == selected != ""
    # One that goes takes no other with it.
    page.evaluate("location.hash = '#/machines?status=maintenance'")
    expect(page.locator("#total")).to_have_text("3 machines")
    page.evaluate(f"{rows}.forEach(row => (row.wasThere = true))")
    own_app.client().patch(f"/api/machines/{changed}", json={"status": "active"})
    let_pass_until_shown(page, page.locator("#total"), "2 machines")
    assert page.evaluate(f"[...{rows}].map(row => Boolean(row.wasThere))") == [True, True]
