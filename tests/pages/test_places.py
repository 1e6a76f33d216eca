"""Moving about: the header after sign-in, the place that Back returns to, addresses that are none."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import LOOKS, until
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations
from tests.pages.test_sign_in import fill_in
from tests.seed import PASSWORD


@pytest.mark.parametrize("look", ["light", "phone"])
def test_the_header_is_in_sight_after_sign_in(visit: Visiting, app: Application, look: str) -> None:
    page = visit(None, look).open()
    fill_in(page, app.alpha.email("manager"), PASSWORD)
    expect(page.locator("[data-count='jobs.active'] .value")).to_have_text("24")
    assert page.evaluate("[scrollY, document.querySelector('.bar').getBoundingClientRect().top]") == [0, 0]
    assert page.evaluate("document.activeElement.id") == "main"


def scroll_to(page: Page, place: int) -> None:
    page.evaluate("place => scrollTo(0, place)", place)
    until(page, "place => history.state?.scroll === place", place)


@pytest.mark.parametrize("view", ["", "#/jobs?status=completed&sort=job_number"])
def test_back_returns_to_the_place_and_the_filters(visit: Visiting, view: str) -> None:
    page = visit("manager", "phone").open_board(view)
    link = page.locator("#recent .line-main, .list-table .named").nth(4)
    expect(link).to_be_visible()
    scroll_to(page, 700)
    link.evaluate("link => link.click()")
    expect(page.get_by_role("heading", name="Steps", exact=True)).to_be_visible()
    assert page.evaluate("scrollY") == 0
    address = page.url
    page.go_back()
    assert until(page, "scrollY === 700")
    assert page.url.endswith(view)
    page.wait_for_selector("#freshness[data-state=fresh]")
    assert page.evaluate("scrollY") == 700
    page.go_forward()
    expect(page.get_by_role("heading", name="Steps", exact=True)).to_be_visible()
    assert page.url == address
    page.go_back()
    page.reload()
    assert until(page, "scrollY === 700")


@pytest.mark.parametrize(
    "address", ["#/nothing", "#/jobs/1/2/3/at-risk?x=1", "#/machines/none", "#/__proto__"]
)
def test_an_address_of_no_page_says_so_and_leads_home(visit: Visiting, address: str) -> None:
    visitor = visit("manager")
    visitor.expected = ["404"]
    page = visitor.open_board(address)
    if address.startswith("#/jobs"):
        expect(page.locator("main")).to_contain_text("There is no such thing here.")
        return
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Go to the board").click()
    expect(page.locator("[data-count='jobs.active'] .value")).to_have_text("24")


@pytest.mark.parametrize("look", LOOKS)
def test_an_address_the_server_does_not_know_is_a_page_that_leads_home(visit: Visiting, look: str) -> None:
    visitor = visit(None, look)
    visitor.expected = ["404"]
    page = visitor.open("/somewhere/else")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert visitor.answers("/somewhere/else") == [404]
    assert violations(page) == []
    assert overflow(page) <= 0
    page.get_by_role("link", name="Go to the board").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["/api/nothing", "/health/nothing", "/static/nothing.js", "/nothing"])
def test_programs_get_a_problem_document(app: Application, path: str) -> None:
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    accepted = [None, "*/*", "application/json", *([] if path == "/nothing" else [browser])]
    for accept in accepted:
        answer = app.flask.test_client().get(path, headers={"Accept": accept} if accept else {})
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), accept


def test_a_notification_about_what_has_no_page_of_its_own_leads_to_its_list(visit: Visiting) -> None:
    page = visit(None).open()
    links = page.evaluate(
        """async () => {
            const { pageOf } = await import("/static/router.js");
            return ["/api/jobs/7", "/api/journeys/contacts/7", "/api/jobs?status=draft"].map(pageOf);
        }"""
    )
    assert links == ["#/jobs/7", "#/journeys/contacts", "#/jobs?status=draft"]
