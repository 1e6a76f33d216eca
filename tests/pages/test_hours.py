"""Working hours as a picture, and forms that begin with what a list was narrowed to."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.application import Application, run
from tests.pages.conftest import Visiting
from tests.pages.test_accounts import go_to
from tests.pages.test_forms import read
from tests.pages.test_looks import overflow, violations

WEEK = (  # weekday, from, until
    (1, "06:00", "14:00"),
    (5, "00:00", "24:00"),
    (7, "22:00", "06:00"),
)


@pytest.fixture
def shop(own_app: Application) -> Application:
    """A business with three shifts, of which one goes past midnight and into the next week, and two holidays."""
    business = own_app.alpha.id
    run(own_app, "DELETE FROM working_hours WHERE tenant_id = %s", business)
    run(own_app, "DELETE FROM holidays WHERE tenant_id = %s", business)
    for weekday, begin, end in WEEK:
        body = {"weekday": weekday, "starts_at": begin, "ends_at": end}
        assert own_app.client().post("/api/working-hours", json=body).status_code == 201
    for name, first, last in (("Works outing", 7, None), ("W" * 200, 14, 16), ("Far away", 70, None)):
        day = monday(own_app)
        body = {"name": name, "first_day": str(day + dt.timedelta(first))}
        if last is not None:
            body["last_day"] = str(day + dt.timedelta(last))
        assert own_app.client().post("/api/holidays", json=body).status_code == 201
    return own_app


def monday(app: Application) -> dt.date:
    """The first day of this week in the time zone of the business."""
    ((found,),) = run(
        app,
        "SELECT date_trunc('week', now() AT TIME ZONE time_zone)::date FROM tenants WHERE id = %s",
        app.alpha.id,
    )
    assert isinstance(found, dt.date)
    return found


def hours_of(bar: Locator) -> tuple[float, float]:
    """Where a bar begins and ends in its day, by its place in the picture."""
    inner = "({ left: box.left + node.parentElement.clientLeft, width: node.parentElement.clientWidth })"
    begin, end = bar.evaluate(
        f"""node => {{
            const box = node.parentElement.getBoundingClientRect(), day = {inner}, own = node.getBoundingClientRect();
            return [own.left - day.left, own.right - day.left].map((side) => side / day.width * 24);
        }}"""
    )
    return round(begin, 1), round(end, 1)


def test_a_week_is_shown_as_bars_over_its_hours(own_visit: Visiting, shop: Application) -> None:
    page = own_visit("manager").open_board("#/working-hours")
    days = page.locator(".week-track")
    expect(days).to_have_count(7)
    bars = {day: days.nth(day - 1).locator(".week-shift") for day in range(1, 8)}
    for day, number in ((1, 2), (2, 0), (3, 0), (4, 0), (5, 1), (6, 0), (7, 1)):
        expect(bars[day]).to_have_count(number)
    shown = {day: [hours_of(bar) for bar in bars[day].all()] for day in (1, 5, 7)}
    expected = {1: [(0, 6), (6, 14)], 5: [(0, 24)], 7: [(22, 24)]}
    for day, stretches in expected.items():
        for seen, stretch in zip(sorted(shown[day]), stretches, strict=True):
            assert seen == pytest.approx(stretch, abs=0.15), (day, shown[day])
    expect(page.get_by_role("img", name="Monday 06:00 to 14:00; Tuesday no shift;")).to_be_visible()
    expect(page.get_by_role("img", name="Sunday 22:00 to 06:00.")).to_be_visible()


def test_the_next_weeks_show_working_days_and_holidays(own_visit: Visiting, shop: Application) -> None:
    page = own_visit("operator").open_board("#/working-hours")
    weeks = page.get_by_role("table", name="This week and the next 4, with holidays")
    expect(weeks.get_by_role("row")).to_have_count(6)
    expect(weeks.locator("td[aria-current=date]")).to_have_count(1)
    second = weeks.get_by_role("row").nth(2).get_by_role("cell")
    expect(second.first).to_have_text(f"{(monday(shop) + dt.timedelta(7)).day}, holiday: Works outing")
    assert [second.nth(day).get_attribute("class") for day in range(7)] == [
        "is-holiday", None, None, None, "is-worked", None, "is-worked",
    ]  # fmt: skip
    expect(weeks.locator(".is-holiday")).to_have_count(4)
    listed = page.locator(".weeks-holidays li")
    expect(listed).to_have_count(2)  # not the one that is far away
    expect(listed.first).to_contain_text("Works outing")
    go_to(page, "#/holidays")
    expect(page.locator(".weeks-holidays li")).to_have_count(2)
    expect(page.locator(".week")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_pictures_have_no_barriers(own_visit: Visiting, shop: Application, look: str) -> None:
    page = own_visit("manager", look).open_board()
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    machine = read(shop, "/api/machines?page_size=1")["items"][0]["id"]
    for address in ("#/working-hours", "#/holidays", f"#/working-hours/new?machine_id={machine}"):
        go_to(page, address)
        part = "form" if "new" in address else ".weeks"
        expect(page.locator(f"#main {part}").last).to_be_visible()
        assert violations(page) == [], address
        assert overflow(page) <= 0, address


def test_a_new_shift_begins_with_the_machine_of_the_list(own_visit: Visiting, own_app: Application) -> None:
    run(own_app, "DELETE FROM working_hours WHERE tenant_id = %s", own_app.alpha.id)
    machine = read(own_app, "/api/machines?page_size=1")["items"][0]
    page = own_visit("manager").open_board(f"#/working-hours?machine_id={machine['id']}")
    expect(page.locator(".hours-picture")).to_contain_text("This machine has no hours of its own")
    page.get_by_role("link", name="New shift").first.click()
    expect(page.get_by_label("Machine")).to_have_value(machine["name"])
    add_shift(page)
    row = page.get_by_role("row").filter(has_text="22:00")
    expect(row).to_contain_text(machine["name"])
    expect(page.get_by_role("img", name="The week of this machine. Monday 22:00 to 06:00;")).to_be_visible()
    [shift] = read(own_app, f"/api/working-hours?machine_id={machine['id']}")["items"]
    assert shift["machine"]["id"] == machine["id"]


def add_shift(page: Page) -> None:
    page.get_by_label("From (required)").fill("22:00")
    page.get_by_label("Until (required)").fill("06:00")
    page.get_by_role("button", name="Add shift").click()


def test_a_new_record_begins_with_what_its_list_is_narrowed_to(
    own_visit: Visiting, own_app: Application
) -> None:
    customer = read(own_app, "/api/customers?page_size=1")["items"][0]
    visitor = own_visit("manager")
    page = visitor.open_board(f"#/jobs?customer_id={customer['id']}&status=active")
    page.get_by_role("link", name="New job").first.click()
    expect(page.get_by_label("Customer")).to_have_value(customer["name"])
    page.get_by_label("Title (required)").fill("Bracket")
    page.get_by_role("button", name="Add job").click()
    expect(page.locator("#toasts")).to_contain_text("Added ")
    [job] = read(own_app, f"/api/jobs?customer_id={customer['id']}&sort=-created_at&page_size=1")["items"]
    assert job["title"] == "Bracket"
    # An id of no record, a text that is no id, and a name that the form does not have: fields stay as they are.
    visitor.expected = ["404"]
    go_to(page, f"#/contacts/new?customer_id={2**40}&colour=red")
    expect(page.get_by_label("Name (required)")).to_have_value("")
    expect(page.get_by_label("Customer")).to_have_value("")
    go_to(page, "#/reasons/new?kind=stop&name=No material")
    expect(page.get_by_label("For")).to_have_value("stop")
    expect(page.get_by_label("Name (required)")).to_have_value("No material")
    go_to(page, "#/working-hours/new?weekday=8&machine_id=x")
    expect(page.get_by_label("Day")).to_have_value("1")
    expect(page.get_by_label("Machine")).to_have_value("")
