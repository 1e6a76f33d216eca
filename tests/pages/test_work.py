"""The terminal: a step is moved by at most two touches, and what was pressed happens once."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.application import Application
from tests.pages.browser import until
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations

SMALLEST = 56  # pixels of a target
PREPARE = """
UPDATE job_steps SET status = 'completed', completed_at = now(), assigned_user_id = NULL WHERE tenant_id = %(tenant)s;
DELETE FROM work_records WHERE tenant_id = %(tenant)s;
DELETE FROM role_process_permissions WHERE tenant_id = %(tenant)s;
WITH job AS (
    INSERT INTO jobs (tenant_id, job_number, title, status, quantity)
    VALUES (%(tenant)s, 'T-1', %(title)s, 'active', 40) RETURNING tenant_id, id
)
INSERT INTO job_steps (tenant_id, job_id, step_order, process_id, assigned_user_id)
SELECT
    tenant_id, id, n, (SELECT min(id) + n - 1 FROM processes WHERE tenant_id = %(tenant)s),
    (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s AND role = 'operator')
FROM job CROSS JOIN generate_series(1, 2) AS n;
"""

FIRST_STEP = """
SELECT status, quantity_done, quantity_rejected
FROM job_steps
WHERE step_order = 1 AND job_id = (SELECT max(id) FROM jobs WHERE job_number = 'T-1')
"""
RECORDS = """
SELECT quantity_good, quantity_rejected, reject_reason, ended_at IS NULL
FROM work_records WHERE tenant_id = %(tenant)s
"""

ON_ACTIVE_MACHINE = """
UPDATE job_steps
SET machine_id = (SELECT min(id) FROM machines WHERE tenant_id = %(tenant)s AND status = 'active')
WHERE status = 'pending' AND tenant_id = %(tenant)s
"""
OPEN_STOPS = "SELECT reason FROM machine_stops WHERE tenant_id = %(tenant)s AND ended_at IS NULL"


def run(app: Application, sql: str, **values: Any) -> list[Any]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(sql, {"tenant": app.alpha.id, **values})
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def app(own_app: Application) -> Application:
    """Two steps, one after the other, wait for the operator and nothing else does."""
    run(own_app, PREPARE, title="Bracket")
    return own_app


def begin(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=False).click()
    expect(page.get_by_role("button", name="Finish", exact=False)).to_be_visible()
    page.mouse.move(0, 0)  # a second press on the same spot does nothing


def test_a_step_is_worked_on_by_at_most_two_touches(own_visit: Visiting, app: Application) -> None:
    page = own_visit("operator", "phone").open_board("/#/work")
    expect(page.get_by_role("heading", name="Later")).to_be_visible()
    assert page.locator("[aria-label='Later'] .task").inner_text().count("waits for") == 1
    page.evaluate("addEventListener('pointerdown', () => (window.touches = (window.touches ?? 0) + 1), true)")
    begin(page)
    assert page.evaluate("window.touches") == 1
    page.get_by_role("button", name="Finish", exact=False).click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_label("Good pieces", exact=True)).to_have_value("40")
    assert violations(page, "dialog") == []
    sheet.get_by_role("button", name="Finish", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Finished")
    assert page.evaluate("window.touches") == 3  # two for the end
    assert run(app, FIRST_STEP) == [("completed", 40, 0)]
    page.mouse.move(0, 0)
    # The next step comes when the finger has left the place.
    expect(page.locator("[aria-label='Next'] .task")).to_have_count(1)
    expect(page.get_by_role("heading", name="Later")).to_be_hidden()


def test_rejects_are_counted_with_their_reason(own_visit: Visiting, app: Application) -> None:
    page = own_visit("operator").open_board("/#/work")
    begin(page)
    page.get_by_role("button", name="Pause", exact=False).click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_label("Why rejected?")).to_be_hidden()
    sheet.get_by_role("button", name="More rejected pieces").click()
    sheet.get_by_role("button", name="More good pieces").dblclick()
    sheet.get_by_label("Why rejected?").fill("burr")
    sheet.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Go on", exact=False)).to_be_visible()
    assert run(app, RECORDS) == [(2, 1, "burr", False)]
    assert "2 of 40 pieces done" in page.locator(".task").first.inner_text()


def test_what_is_no_number_is_told_and_nothing_is_sent(own_visit: Visiting, app: Application) -> None:
    page = own_visit("operator").open_board("/#/work")
    begin(page)
    page.get_by_role("button", name="Finish", exact=False).click()
    sheet = page.get_by_role("dialog")
    for wrong in ("", "2.5", "-1", "1000001", "ten"):
        sheet.get_by_label("Good pieces", exact=True).fill(wrong)
        sheet.get_by_role("button", name="Finish", exact=True).click()
        expect(sheet.get_by_role("alert")).to_contain_text("whole number")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Finish", exact=False)).to_be_visible()


def test_a_double_press_begins_once(own_visit: Visiting, app: Application) -> None:
    page = own_visit("operator").open_board("/#/work")
    page.get_by_role("button", name="Start", exact=False).dblclick()
    expect(page.get_by_role("button", name="Finish", exact=False)).to_be_visible()
    expect(page.locator("#problems")).to_be_empty()
    assert run(app, "SELECT count(*) FROM work_records WHERE tenant_id = %(tenant)s") == [(1,)]


def test_a_manager_sees_who_works_and_ends_what_was_forgotten(own_visit: Visiting, app: Application) -> None:
    begin(own_visit("operator").open_board("/#/work"))
    run(app, "UPDATE work_records SET started_at = now() - interval '14 hours' WHERE tenant_id = %(tenant)s")
    page = own_visit("manager").open_board("/#/work")
    line = page.locator('[aria-label="Everybody\'s work"] .task')
    expect(line).to_contain_text("forgotten")
    line.get_by_role("button", name="End", exact=False).click()
    expect(page.locator("#toasts")).to_contain_text("Ended the work")
    page.mouse.move(0, 0)
    expect(line).to_have_count(0)
    seconds = (
        "SELECT extract(epoch FROM ended_at - started_at) FROM work_records WHERE tenant_id = %(tenant)s"
    )
    assert run(app, seconds) == [(0,)]


def test_a_problem_is_reported_beside_the_machine_and_closed_by_a_manager(
    own_visit: Visiting, app: Application
) -> None:
    run(app, "DELETE FROM problems WHERE tenant_id = %(tenant)s")
    page = own_visit("operator", "phone").open_board("/#/work")
    page.get_by_role("button", name="Report a problem").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Report", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("Say what the problem is.")
    dialog.get_by_label("What is it about?").select_option("drawing")
    dialog.get_by_label("What is the problem?").fill("Which radius?")
    dialog.get_by_label("Nobody can work on this step").check()
    assert violations(page, "dialog") == []
    dialog.get_by_role("button", name="Report", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Reported")
    page.get_by_role("heading", name="My work").tap()
    expect(page.locator("[aria-label='Later'] .task").first).to_contain_text("held: Which radius?")
    found = run(app, "SELECT kind, holds_step, status FROM problems WHERE tenant_id = %(tenant)s")
    assert found == [("drawing", True, "open")]
    manager = own_visit("manager").open_board("/#/problems")
    row = manager.get_by_role("row").filter(has_text="Which radius?")
    row.get_by_role("button", name="Answer", exact=False).click()
    manager.get_by_label("Answer", exact=True).fill("Two")
    manager.get_by_role("dialog").get_by_role("button", name="Answer", exact=True).click()
    expect(row).to_contain_text("Answered")
    row.get_by_role("button", name="Close", exact=False).click()
    expect(row).to_contain_text("Closed")
    assert run(app, "SELECT status, answer FROM problems WHERE tenant_id = %(tenant)s") == [("closed", "Two")]


def test_reasons_of_the_business_are_proposed(own_visit: Visiting, app: Application) -> None:
    run(
        app,
        "INSERT INTO reasons (tenant_id, kind, name) VALUES (%(tenant)s, 'reject', 'Burr at the edge'),"
        " (%(tenant)s, 'stop', 'Tool broken')",
    )
    page = own_visit("operator").open_board("/#/work")
    begin(page)
    page.get_by_role("button", name="Pause", exact=False).click()
    proposed = page.locator("#sheet-reasons option").evaluate_all("all => all.map(one => one.value)")
    assert "Burr at the edge" in proposed and "Tool broken" not in proposed


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_targets_are_large_whatever_the_texts(own_visit: Visiting, app: Application, look: str) -> None:
    run(app, PREPARE.replace("'T-1'", "'T-2'"), title="W" * 200)
    page = own_visit("operator", look).open_board("/#/work")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    begin(page)
    assert violations(page) == []
    assert overflow(page) <= 0
    page.get_by_role("button", name="Pause", exact=False).click()
    sizes = [
        box
        for each in page.locator(".big-button:visible, dialog input:visible, dialog select:visible").all()
        if (box := each.bounding_box())
    ]
    assert [box for box in sizes if round(min(box["width"], box["height"]), 2) < SMALLEST] == [] and len(
        sizes
    ) >= 6


def test_a_machine_that_stands_still_is_reported_beside_it(own_visit: Visiting, app: Application) -> None:
    run(app, ON_ACTIVE_MACHINE)
    page = own_visit("operator", "phone").open_board("/#/work")
    page.get_by_role("button", name="stands still").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.get_by_role("alert")).to_have_text("Say why it stands still.")
    page.get_by_label("Why?").fill("no material")
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.locator(".task").first).to_contain_text("stands still since")
    expect(page.locator(".task").first).to_contain_text("no material")
    assert ("no material",) in run(app, OPEN_STOPS)
    assert overflow(page) <= 0
    expect(page.locator("#toasts")).to_contain_text("stands still")
    page.get_by_role("heading", name="My work").tap()
    page.get_by_role("button", name="runs again").first.click()
    expect(page.get_by_role("button", name="stands still").first).to_be_visible()


def offline(page: Page, is_away: bool) -> None:
    page.context.set_offline(is_away)
    until(page, "is_away => navigator.onLine !== is_away", is_away)


def finish(page: Page) -> None:
    page.get_by_role("button", name="Finish", exact=False).click()
    page.get_by_role("dialog").get_by_role("button", name="Finish", exact=True).click()
    page.mouse.move(0, 0)


def test_without_a_network_work_waits_on_the_device_and_is_sent_once(
    own_visit: Visiting, app: Application
) -> None:
    visit = own_visit("operator", "phone")
    visit.expected = ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]
    page = visit.open_board("/#/work")
    expect(page.get_by_role("button", name="Start", exact=False)).to_be_visible()
    offline(page, True)
    begin(page)
    finish(page)
    waiting = page.get_by_role("region", name="Not sent yet").get_by_role("listitem")
    expect(waiting).to_have_count(2)
    assert waiting.all_inner_texts()[1].endswith("40 good, 0 rejected")
    assert violations(page) == []
    assert run(app, RECORDS) == []
    page.goto("about:blank")  # the page is gone, what it keeps is not
    pressed = run(app, "SELECT now()")[0][0]
    offline(page, False)
    page = visit.open_board("/#/work")
    expect(page.get_by_role("button", name="Start", exact=False)).to_be_visible()
    expect(waiting).to_have_count(0)
    assert run(app, RECORDS) == [(40, 0, None, False)]
    assert run(app, FIRST_STEP) == [("completed", 40, 0)]
    # The times are those of the deeds.
    late = "SELECT count(*) FROM work_records WHERE tenant_id = %(tenant)s AND ended_at > %(pressed)s + interval '2 s'"
    assert run(app, late, pressed=pressed) == [(0,)]
    page.reload()
    expect(page.get_by_role("button", name="Start", exact=False)).to_be_visible()
    assert run(app, "SELECT count(*) FROM work_records WHERE tenant_id = %(tenant)s") == [(1,)]


def test_an_answer_that_is_lost_on_the_way_makes_no_second_record(
    own_visit: Visiting, app: Application
) -> None:
    visit = own_visit("operator")
    visit.expected = ["ERR_FAILED"]
    page = visit.open_board("/#/work")
    sent: list[str] = []

    def lose(route: Route) -> None:
        sent.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/api/work", lose, times=1)
    begin(page)
    # The next round of the poll sends it again.
    expect(page.get_by_role("region", name="Not sent yet")).to_have_count(0)
    finish(page)
    expect(page.get_by_role("button", name="Start", exact=False)).to_be_visible()
    assert len(sent) == 1
    assert run(app, RECORDS) == [(40, 0, None, False)]


def test_what_is_refused_later_is_shown_until_it_is_dismissed(own_visit: Visiting, app: Application) -> None:
    visit = own_visit("operator")
    visit.expected = ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK", "409"]
    page = visit.open_board("/#/work")
    offline(page, True)
    begin(page)
    finish(page)
    run(app, "UPDATE job_steps SET status = 'skipped' WHERE tenant_id = %(tenant)s AND status = 'pending'")
    offline(page, False)
    refused = page.get_by_role("region", name="Refused").get_by_role("listitem")
    expect(refused).to_have_count(2)
    expect(refused.first).to_contain_text("skipped")
    expect(refused.last).to_contain_text("its beginning was refused")
    page.reload()
    expect(refused).to_have_count(2)
    refused.first.get_by_role("button", name="Dismiss", exact=False).click()
    expect(refused).to_have_count(1)
    refused.first.get_by_role("button", name="Dismiss", exact=False).click()
    expect(refused).to_have_count(0)
    assert run(app, RECORDS) == []


def test_a_step_is_handed_over_to_a_colleague_or_anybody(own_visit: Visiting, app: Application) -> None:
    assigned = (
        "SELECT assigned_user_id FROM job_steps WHERE step_order = 1"
        " AND job_id = (SELECT max(id) FROM jobs WHERE job_number = 'T-1')"
    )
    manager = run(
        app, "SELECT id, full_name FROM users WHERE tenant_id = %(tenant)s AND role = 'manager' AND is_active"
    )[0]
    page = own_visit("operator", "phone").open_board("/#/work")
    for chosen, expected in (("Anybody", None), (manager[1], manager[0])):
        page.get_by_role("button", name="Start" if expected is None else "Go on", exact=False).click()
        page.get_by_role("button", name="Hand over", exact=False).click()
        sheet = page.get_by_role("dialog")
        sheet.get_by_label("Who goes on?").select_option(chosen)
        sheet.get_by_label("Good pieces", exact=True).fill("3")
        sheet.get_by_role("button", name="Hand over", exact=True).click()
        expect(page.locator("#toasts").get_by_text("Handed over").first).to_be_visible()
        page.get_by_role("heading", name="My work").tap()
        assert run(app, assigned) == [(expected,)]
    assert run(app, FIRST_STEP) == [("in_progress", 6, 0)]


def test_the_instructions_stand_at_the_step(own_visit: Visiting, app: Application) -> None:
    run(app, "UPDATE job_steps SET instructions = 'Deburr both edges' WHERE status = 'pending'")
    page = own_visit("operator", "phone").open_board("/#/work")
    expect(page.locator("[aria-label='Next'] .task")).to_contain_text("Deburr both edges")


def test_a_manager_corrects_what_was_forgotten(own_visit: Visiting, app: Application) -> None:
    page = own_visit("operator").open_board("/#/work")
    begin(page)
    run(app, "UPDATE work_records SET started_at = now() - interval '14 hours' WHERE tenant_id = %(tenant)s")
    finish(page)
    expect(page.locator("#toasts")).to_contain_text("Finished")
    seconds = (
        "SELECT round(extract(epoch FROM ended_at - started_at)), is_forgotten"
        " FROM work_records WHERE tenant_id = %(tenant)s"
    )
    assert run(app, seconds) == [(12 * 3600, True)]
    page = own_visit("manager").open_board("/#/work")
    left = page.get_by_role("region", name="Forgotten work").get_by_role("listitem")
    left.get_by_role("button", name="Correct", exact=False).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Minutes worked").fill("450")
    dialog.get_by_role("button", name="Correct", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("Say why it is corrected.")
    dialog.get_by_label("Why?").fill("went home at four")
    dialog.get_by_role("button", name="Correct", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Corrected")
    page.mouse.move(0, 0)
    expect(left).to_have_count(0)
    assert run(app, seconds) == [(450 * 60, False)]
