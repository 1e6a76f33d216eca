"""The page offers no role what the API would refuse it: every control is pressed, and compared with the route map."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import Route as Intercepted
from werkzeug.exceptions import HTTPException

from tests.application import Application
from tests.pages.conftest import Visiting

VIEWS = (
    "#/", "#/jobs?status=active", "#/jobs/at-risk", "#/job-steps?status=pending", "#/job-steps?status=in_progress",
    "#/machines", "#/processes", "#/customers", "#/contacts", "#/leads", "#/workflow-approvals/pending",
    "#/campaigns", "#/journeys", "#/journeys/contacts", "#/notifications", "#/account", "#/settings", "#/import",
    "#/work",
)  # fmt: skip
FORM = re.compile(r"#/([a-z-]+)/(?:new|[0-9]+/edit)$")
REFUSED = {"type": "about:blank", "title": "No", "status": 409, "code": "conflict", "detail": "Not in this test.",
           "request_id": None}  # fmt: skip


def may(app: Application, role: str, method: str, path: str) -> bool:
    """Return True if the route map lets a role send this."""
    try:
        endpoint, _ = app.flask.url_map.bind("localhost").match(path, method=method)
    except HTTPException:
        return False
    roles = getattr(app.flask.view_functions[endpoint], "only_for", None)
    return roles is None or role in roles


def controls(page: Page) -> list[tuple[str, int]]:
    """One button of each kind in the view, by its words, and its place among all buttons."""
    found: dict[str, int] = {}
    for place, words in enumerate(page.locator("main button").all_inner_texts()):
        found.setdefault(words, place)
    return list(found.items())


def press_everything(page: Page, view: str) -> set[str]:
    """Press the buttons of a view, and confirm what they ask; gives the forms that its links lead to."""
    page.evaluate("view => { location.hash = view }", view)
    expect(page.locator("main .waiting")).to_have_count(0, timeout=20_000)
    forms = {
        found[0]
        for link in page.locator("main a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        if (found := FORM.match(link))
    }
    for _, place in controls(page):
        button = page.locator("main button").nth(place)
        if not button.is_visible():
            continue
        button.evaluate("button => button.click()")
        dialog = page.locator("dialog[open]")
        if dialog.count():
            for box in dialog.locator("input:visible:not([type=checkbox], [type=radio], [type=file])").all():
                box.fill("1")
            dialog.locator("button").first.evaluate("button => button.click()")
            page.evaluate("document.querySelectorAll('dialog[open]').forEach(dialog => dialog.close())")
        if page.evaluate("location.hash") != view:
            page.evaluate("view => { location.hash = view }", view)
            expect(page.locator("main .waiting")).to_have_count(0, timeout=20_000)
    return forms


@pytest.mark.parametrize("role", ["operator", pytest.param("manager", marks=pytest.mark.slow)])
def test_the_page_sends_and_links_nothing_that_the_role_may_not(
    visit: Visiting, app: Application, role: str
) -> None:
    visitor = visit(role)
    visitor.expected = ["409", "404", "400"]
    page = visitor.page
    sent: set[tuple[str, str]] = set()

    def answer(intercepted: Intercepted) -> None:
        request = intercepted.request
        if request.method == "GET":
            intercepted.continue_()
            return
        sent.add((request.method, urlsplit(request.url).path))
        intercepted.fulfill(status=409, content_type="application/problem+json", body=json.dumps(REFUSED))

    page.route("**/api/**", answer)
    visitor.open_board()
    forms: set[str] = set()
    for view in VIEWS:
        forms |= press_everything(page, view)
    page.wait_for_timeout(200)
    assert len(sent) > 4 and forms, "or this presses nothing"
    assert [one for one in sorted(sent) if not may(app, role, *one)] == []
    for form in forms:
        area, last = form[2:].split("/", 1)
        request = (
            ("POST", f"/api/{area}") if last == "new" else ("PATCH", f"/api/{area}/{last.split('/')[0]}")
        )
        assert may(app, role, *request), f"{role} is led to {form}"


def test_forms_that_a_role_may_not_use_are_closed_by_their_address_too(
    visit: Visiting, app: Application
) -> None:
    """For each list of the route map that can be added to: the form is there for those roles alone."""
    areas = sorted(
        rule.rule.removeprefix("/api/")
        for rule in app.flask.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and re.fullmatch(r"/api/[a-z-]+", rule.rule)
    )
    page = visit("operator").open_board()
    closed = 0
    for area in areas:
        page.evaluate("area => { location.hash = `#/${area}/new` }", area)
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator("main .waiting")).to_have_count(0, timeout=20_000)
        if not may(app, "operator", "POST", f"/api/{area}"):
            expect(page.locator("main form.record-form")).to_have_count(0)
            closed += 1
    assert closed >= 5
