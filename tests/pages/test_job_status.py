"""The page behind a status link, as a customer sees it on a phone, and how a manager comes by the link."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg2
import pytest
from playwright.sync_api import expect

from opsboard.auth.links import Link, write_token
from tests.application import SECRET, Application
from tests.pages.browser import LOOKS
from tests.pages.clock import let_pass_until, let_pass_until_shown
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations
from tests.seed import LINKS_EXPIRE

STATUSES = ["draft", "active", "on_hold", "completed", "cancelled"]


def address(app: Application, link_id: int | None = None) -> str:
    link_id = link_id or ids_of_links(app)[0]
    return f"/status/{write_token(SECRET, Link(app.alpha.id, link_id, LINKS_EXPIRE))}"


def ids_of_links(app: Application) -> list[int]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM job_status_links WHERE tenant_id = %s ORDER BY id", (app.alpha.id,))
        return [found for (found,) in cursor.fetchall()]


@pytest.mark.parametrize("look", LOOKS)
def test_customer_reads_the_status_without_signing_in(visit: Visiting, app: Application, look: str) -> None:
    visitor = visit(None, look)
    page = visitor.open(address(app))
    expect(page).to_have_title("CANARYALPHA-0001 · canaryalpha works")
    expect(page.get_by_role("heading", name="canaryalpha job 1")).to_be_visible()
    expect(page.locator(".state strong")).to_have_text("Planned")
    expect(page.get_by_role("progressbar", name=re.compile("of 3 steps done"))).to_have_count(1)
    expect(page.get_by_role("navigation")).to_have_count(0)
    # The reader's own zone, which is New York's here.
    expect(page.locator(".as-of time")).not_to_contain_text("UTC")
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("status", STATUSES)
def test_each_status_is_readable_in_each_look(
    own_visit: Visiting, own_app: Application, look: str, status: str
) -> None:
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        connection.cursor().execute(
            "UPDATE jobs SET status = %s, title = repeat('Bracket', 20), due_date = '2031-02-03' "
            "WHERE id = (SELECT min(id) FROM jobs)",
            (status,),
        )
    visitor = own_visit(None, look)
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    page = visitor.open(address(own_app))
    expect(page.get_by_text("3 February 2031")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("look", LOOKS)
def test_a_link_that_does_not_hold_is_told_in_words(visit: Visiting, app: Application, look: str) -> None:
    visitor = visit(None, look)
    visitor.expected = ["404"]
    page = visitor.open(address(app)[:-1])
    expect(page.get_by_role("heading", name="This link is not complete")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0


def test_a_late_job_says_so_and_whom_to_ask_in_each_look(own_visit: Visiting, own_app: Application) -> None:
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(
            "UPDATE jobs SET status = 'active', due_date = current_date - 3 WHERE id = (SELECT min(id) FROM jobs)"
        )
    settings = {
        "locale": "en", "currency": "EUR", "opens_at": "08:00", "closes_at": "17:00", "auto_reply": False,
        "contact_email": f"{'a' * 64}@{'.'.join(['b' * 58] * 3)}.example",
        "contact_phone": "9" * 50, "whatsapp_number": "8" * 50,
    }  # fmt: skip
    assert own_app.client().put("/api/settings", json=settings).status_code == 200
    for look in LOOKS:
        page = own_visit(None, look).open(address(own_app))
        expect(page.locator(".lateness")).to_contain_text(re.compile("the due date passed [34] days ago"))
        expect(page.get_by_role("link", name=re.compile("^9+$"))).to_be_visible()
        assert violations(page) == []
        assert overflow(page) <= 0


def test_the_page_updates_itself_by_304s_and_stops_when_hidden(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit(None)
    visitor.page.clock.install()
    path = address(own_app)
    page = visitor.open(path)
    expect(page.locator(".as-of")).to_contain_text("This page is updated by itself.")

    def pass_time(seconds: int, answers: int) -> list[int]:
        let_pass_until(page, lambda: len(visitor.answers(path)) >= answers, seconds)
        return visitor.answers(path)

    assert pass_time(35, 2) == [200, 200]
    assert pass_time(35, 3) == [200, 200, 304]
    client = own_app.client()
    job = client.get("/api/jobs?q=canaryalpha-0001").json["items"][0]["id"]  # type: ignore[index]
    assert client.patch(f"/api/jobs/{job}", json={"status": "on_hold"}).status_code == 200
    assert pass_time(35, 4)[3] == 200
    expect(page.locator(".state strong")).to_have_text("On hold")
    expect(page.locator(".as-of time")).not_to_contain_text("UTC")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')) }"
    page.evaluate(hide, True)
    page.clock.run_for(600_000)
    assert len(visitor.answers(path)) == 4
    page.evaluate(hide, False)
    assert pass_time(1, 5)[4] == 304


def test_the_page_says_when_it_could_not_update_and_when_the_link_has_ended(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit(None)
    visitor.expected = ["ERR_FAILED", "410"]
    visitor.page.clock.install()
    path = address(own_app)
    page = visitor.open(path)
    page.route("**/status/**", lambda route: route.abort())
    let_pass_until_shown(page, page.locator("#stale"), "It shows what was known at ")
    page.unroute("**/status/**")
    let_pass_until(page, lambda: page.locator("#stale").count() == 0, 80)
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        connection.cursor().execute("UPDATE job_status_links SET revoked_at = now()")
    let_pass_until_shown(page, page.get_by_role("heading", name="This link is no longer valid"))
    answered = len(visitor.answers(path))
    page.clock.run_for(600_000)
    assert len(visitor.answers(path)) == answered


def test_the_page_tells_no_site_where_it_is(visit: Visiting, app: Application) -> None:
    visitor = visit(None)
    page = visitor.open(address(app))
    expect(page.get_by_role("heading")).to_be_visible()
    assert len(visitor.requests) > 3
    assert all("referer" not in request.all_headers() for request in visitor.requests)


def test_manager_makes_a_link_hands_it_on_and_takes_it_back(
    own_visit: Visiting, own_app: Application
) -> None:
    page = own_visit("manager").open_board("#/jobs?q=canaryalpha-0008")
    page.locator(".list-table .named").last.click()
    page.get_by_text("Status link").click()
    expect(page.get_by_text("No link is in force.")).to_be_visible()
    page.get_by_role("button", name="New link").click()
    link = page.get_by_label("Link for the customer").input_value()
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#announcer")).to_have_text(re.compile("Copied|Selected"))
    assert violations(page) == []
    customer = own_visit(None, "phone")
    customer.expected = ["410"]
    path = "/status/" + link.rpartition("/")[2]
    assert link == customer.site.url + path
    expect(customer.open(path).get_by_role("heading", name="canaryalpha job 8")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Revoke")).click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No link is in force.")).to_be_visible()
    expect(customer.open(path).get_by_role("heading", name="no longer valid")).to_be_visible()


def test_an_operator_has_no_links_to_give(visit: Visiting) -> None:
    page = visit("operator").open_board("#/jobs?q=canaryalpha-0008")
    page.locator(".list-table .named").last.click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    expect(page.get_by_text("Status link")).to_have_count(0)
