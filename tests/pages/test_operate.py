"""Operate: the state of the whole service in one page, and every means to mend it, by mouse and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.application import Application
from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read
from tests.pages.test_looks import overflow, violations

PARTS = (
    "Alerts", "Workers and machines", "Connections to the database", "Locks and long transactions", "Cache",
    "Slowest queries", "Indexes", "Sign-ins", "Usage by business in the last 30 days", "Counts of your business",
)  # fmt: skip
ALERT = """
INSERT INTO alerts (rule, subject, value, lasts, began_at, fired_at)
VALUES ('OpsboardBackupOld', '', 200000, 0, now() - interval '1 hour', now() - interval '30 minutes')
"""
CLEARED = "SELECT u.email FROM audit_logs AS a JOIN users AS u ON u.id = a.user_id WHERE a.entity = 'cache'"


def run(app: Application, sql: str) -> list[Any]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def idle_in_transaction(app: Application) -> Iterator[int]:
    """A session that holds a lock and does nothing."""
    with closing(psycopg2.connect(app.database.app_url, application_name="the sleeper")) as connection:
        connection.cursor().execute("LOCK TABLE usage_by_day IN ROW SHARE MODE")
        yield connection.get_backend_pid()


def part(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def operate(page: Page) -> Page:
    page.evaluate("location.hash = '#/operate'")
    expect(part(page, "Usage by business in the last 30 days").locator(".waiting")).to_have_count(0)
    return page


def test_each_part_says_what_the_api_says(own_visit: Visiting, own_app: Application) -> None:
    own_app.sign_in(own_app.alpha.email("admin"), "wrong")
    own_app.client("manager").get("/api/customers")
    own_app.services.usage.write()
    page = operate(own_visit("admin").open_board())
    expect(page.get_by_role("heading", level=2)).to_have_text(list(PARTS))
    expect(page.locator("nav#areas").get_by_role("link", name="Operate")).to_have_attribute(
        "aria-current", "page"
    )
    worker = read(own_app, "/api/health/workers")["workers"][0]
    row = part(page, "Workers and machines").locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"process {worker['pid']}")
    expect(part(page, "Sign-ins").locator("dd").nth(1)).to_have_text("1")
    shown = part(page, "Slowest queries").locator("tbody tr")
    slow = {use["query"]: use for use in read(own_app, "/api/health/queries")["queries"]}
    assert shown.count() == min(12, len(slow))
    for line in shown.all():
        use = slow[line.locator("th").inner_text()]
        assert all(name in (line.text_content() or "") for name in (*use["endpoints"], *use["indexes"]))
    # An open part stays open when it is drawn anew.
    unused = part(page, "Indexes").locator("summary")
    unused.press("Enter")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(part(page, "Indexes").locator("details")).to_have_attribute("open", "")
    usage = part(page, "Usage by business in the last 30 days").locator("tbody tr")
    expect(usage).to_have_count(1)
    expect(usage).to_contain_text("alpha")
    expect(part(page, "Alerts")).to_contain_text("No alert fires")
    expect(part(page, "Indexes").locator("dd").nth(1)).to_have_text("0")
    page.locator("#main").get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()


def test_an_alert_is_acknowledged_and_silenced_by_keys(own_visit: Visiting, own_app: Application) -> None:
    run(own_app, ALERT)
    page = operate(own_visit("admin").open_board())
    alert = part(page, "Alerts").locator("tbody tr", has_text="backup")
    expect(alert).to_contain_text("Fires")
    alert.get_by_role("button", name="Acknowledge").press("Enter")
    expect(alert).to_contain_text("by you since")
    expect(alert.get_by_role("button", name="Acknowledge")).to_have_count(0)
    alert.get_by_role("button", name="Silence").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Minutes").fill("0")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Enter 1 to 43200 minutes.")
    dialog.get_by_label("Minutes").fill("30")
    assert violations(page, "dialog") == []
    page.keyboard.press("Enter")
    expect(alert.get_by_role("button", name="End the silence of")).to_be_visible()
    ((silenced, by),) = run(
        own_app, "SELECT silenced_until > now(), acknowledged_by FROM alerts WHERE rule = 'OpsboardBackupOld'"
    )
    assert silenced and by is not None
    alert.get_by_role("button", name="End the silence of").press("Enter")
    expect(alert.get_by_role("button", name="Silence:", exact=False)).to_be_visible()
    assert run(own_app, "SELECT silenced_until > now() FROM alerts WHERE rule = 'OpsboardBackupOld'") == [
        (False,)
    ]


def test_a_session_that_idles_in_a_transaction_is_ended(own_visit: Visiting, own_app: Application) -> None:
    with idle_in_transaction(own_app) as pid:
        page = operate(own_visit("admin").open_board())
        row = part(page, "Locks and long transactions").locator("tbody tr", has_text="the sleeper")
        row.get_by_role("button", name=f"End session {pid}").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        assert run(own_app, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") == [(1,)]
        row.get_by_role("button", name=f"End session {pid}").click()
        page.get_by_role("dialog").get_by_role("button", name="End the session").click()
        expect(page.locator("#toasts")).to_contain_text(f"Ended session {pid}.")
        page.mouse.move(0, 0)
        expect(row).to_have_count(0)
    assert ("end", pid) in run(
        own_app, "SELECT action, entity_id FROM audit_logs WHERE entity = 'database_session'"
    )


def test_a_locked_table_is_shown_with_the_session_that_locks_it(
    own_visit: Visiting, own_app: Application
) -> None:
    url = own_app.database.superuser_url
    with closing(psycopg2.connect(url, application_name="the locksmith")) as connection:
        connection.cursor().execute("LOCK TABLE machines IN SHARE MODE")
        page = operate(own_visit("admin").open_board())
        table = part(page, "Locks and long transactions").get_by_role("table", name="Locked tables")
        row = table.locator("tbody tr", has_text="the locksmith")
        expect(row).to_contain_text("machines")
        expect(row).to_contain_text("writers")
        expect(row.get_by_role("button", name=f"End session {connection.get_backend_pid()}")).to_be_visible()


def test_the_cache_is_cleared_and_says_who_did(own_visit: Visiting, own_app: Application) -> None:
    own_app.client("admin").get("/api/dashboard/stats")
    page = operate(own_visit("admin").open_board())
    cache = part(page, "Cache")
    row = cache.get_by_role("button", name="Clear dashboard.stats")
    row.click()
    expect(cache).to_contain_text("Cleared dashboard.stats at")
    expect(cache).to_contain_text("confirmed by 1 of 1 worker (")
    page.mouse.move(0, 0)
    cache.get_by_role("button", name="Clear the whole cache").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear all").click()
    expect(cache).to_contain_text("Cleared all at")
    assert run(own_app, CLEARED) == [(own_app.alpha.email("admin"),)] * 2
    cache.get_by_role("link", name="Who cleared it").click()
    expect(page.locator(".list-table tbody tr")).to_have_count(2)
    expect(page.locator(".list-table tbody tr").first).to_contain_text("cleared cache")


def test_a_recount_names_what_differs(own_visit: Visiting, own_app: Application) -> None:
    page = operate(own_visit("admin").open_board())
    counts = part(page, "Counts of your business")
    counts.get_by_role("button", name="Recount now").click()
    expect(counts).to_contain_text("All counts are right")
    run(
        own_app,
        f"INSERT INTO rollup_deltas (tenant_id, source, n) VALUES ({own_app.alpha.id}, 'customers', 5)",
    )
    counts.get_by_role("button", name="Recount now").press("Enter")
    expect(counts).to_contain_text("Some counts differ")
    expect(counts.locator("tbody tr").first).to_contain_text("customers")


def test_a_part_that_cannot_be_read_says_so_in_its_place(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("admin")
    visitor.expected = ["503"]
    problem = {
        "type": "about:blank",
        "title": "No",
        "status": 503,
        "code": "x",
        "detail": "No answer.",
        "request_id": None,
    }
    visitor.page.route(
        "**/api/health/indexes",
        lambda route: route.fulfill(status=503, json=problem, content_type="application/problem+json"),
    )
    page = operate(visitor.open_board())
    expect(part(page, "Indexes")).to_contain_text("No answer.")
    expect(part(page, "Workers and machines").locator("tbody tr")).to_have_count(1)
    expect(page.locator("#freshness")).to_have_attribute("data-state", "fresh")


@pytest.mark.parametrize("look", [*LOOKS, "narrow"])
def test_it_has_no_barriers_and_fits(own_visit: Visiting, own_app: Application, look: str) -> None:
    run(own_app, ALERT)
    with idle_in_transaction(own_app):
        visitor = own_visit("admin", "light" if look == "narrow" else look)
        if look == "narrow":
            visitor.page.set_viewport_size({"width": 320, "height": 640})
        page = operate(visitor.open_board())
        page.locator("summary").evaluate_all("all => all.forEach(summary => summary.click())")
        expect(part(page, "Alerts").locator("tbody tr")).to_have_count(1)
        assert violations(page) == []
        assert overflow(page) <= 0


def test_who_does_not_run_the_service_is_not_led_there(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("manager").open_board()
    expect(page.locator("nav#areas").get_by_role("link", name="Users")).to_be_visible()
    expect(page.locator("nav#areas").get_by_role("link", name="Operate")).to_be_hidden()
    page.evaluate("location.hash = '#/operate'")
    expect(page.locator("main")).to_contain_text("for admins of those who run it")
