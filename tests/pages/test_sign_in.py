"""Signing in and out on the page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from opsboard.web.access import COOKIE
from tests.application import Application
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting
from tests.seed import PASSWORD


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_wrong_password_is_told_in_words(visit: Visiting, app: Application) -> None:
    visitor = visit(role=None)
    visitor.expected = ["401"]  # the browser itself reports the refused sign-in
    page = visitor.open()
    fill_in(page, app.alpha.email("manager"), "not the password")
    expect(page.get_by_role("alert").first).to_contain_text("password")
    assert page.evaluate("document.activeElement.id") == "password"
    assert page.context.cookies() == []


def test_missing_password_is_asked_for_without_a_request(visit: Visiting) -> None:
    visitor = visit(role=None)
    page = visitor.open()
    fill_in(page, "somebody@alpha.example", "")
    expect(page.locator("#sign-in-problem")).to_have_text("Write your password.")
    assert visitor.answers("/api/auth/login") == []


def test_nobody_signed_in_asks_the_api_nothing(visit: Visiting) -> None:
    visitor = visit(role=None)
    expect(visitor.open().get_by_role("heading", name="Sign in")).to_be_visible()
    assert [request.url for request in visitor.requests if "/api/" in request.url] == []


def test_signing_in_opens_the_board_and_no_script_can_read_the_token(
    visit: Visiting, app: Application
) -> None:
    page = visit(role=None).open()
    fill_in(page, app.alpha.email("manager"), PASSWORD)
    expect(page.locator("[data-count='jobs.active'] .value")).to_have_text("24")
    cookies = page.context.cookies()
    assert COOKIE in [cookie["name"] for cookie in cookies]
    assert {(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies} == {(True, "Strict")}
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"


def test_signing_out_ends_the_token_and_shows_the_form(own_visit: Visiting) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board()
    token = page.context.cookies()[0]["value"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    expect(page.locator("#areas")).to_be_hidden()
    assert page.context.cookies() == []
    answer = page.request.get(f"{visitor.site.url}/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401


def test_token_that_ends_meanwhile_leads_back_to_the_form(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["401"]
    visitor.page.clock.install()
    page = visitor.open_board()
    token = page.context.cookies()[0]["value"]
    own_app.flask.test_client().post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
    let_pass_until_shown(page, page.get_by_text("Your sign-in has ended. Sign in again."))
    # The view waits behind the form until the user signs in; until then it shows nothing.
    expect(page.locator("[data-count]:visible")).to_have_count(0)
