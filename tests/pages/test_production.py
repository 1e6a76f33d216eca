"""The pages on which a business sets up how it works."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import drag
from tests.pages.conftest import Visiting
from tests.pages.test_accounts import go_to
from tests.pages.test_forms import first, pick, read, sent
from tests.pages.test_looks import overflow, violations


def test_a_machine_is_added_and_changed(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board("#/machines")
    page.get_by_role("link", name="New machine").click()
    page.get_by_label("Name (required)").fill("Laser 2")
    page.get_by_label("Status").select_option("maintenance")
    page.get_by_role("button", name="Add machine").click()
    expect(page.locator("#toasts")).to_contain_text("Added Laser 2.")
    page.get_by_role("link", name="Edit Laser 2").click()
    page.get_by_label("Location").fill("Hall 2")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved Laser 2.")
    found = read(own_app, "/api/machines?q=Laser 2")["items"][0]
    assert (found["status"], found["location"]) == ("maintenance", "Hall 2")


def test_an_admin_says_who_works_on_a_process(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("admin")
    page = visitor.open_board("#/processes/new")
    page.get_by_label("Name (required)").fill("Welding")
    page.get_by_label("Operator").uncheck()
    page.get_by_role("button", name="Add process").click()
    row = page.get_by_role("row").filter(has_text="Welding")
    expect(row).to_contain_text("Admin, Manager")
    assert read(own_app, "/api/processes?q=Welding")["items"][0]["permissions"] == [
        {"role": "manager", "can_operate": True}
    ]
    row.get_by_role("link", name="Edit Welding").click()
    page.get_by_label("Operator").check()
    page.get_by_label("Use").select_option("inactive")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Everybody")
    assert sent(visitor)[-1][2] == {"permissions": [], "is_active": False}
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("Admin, Manager")


def choose(page: Page, place: int, label: str, text: str) -> None:
    """Pick the first option that a row of the steps' field finds."""
    box = page.locator(".step-rows > li").nth(place).get_by_label(label)
    box.fill(text)
    page.get_by_role("option").first.click()
    expect(page.get_by_role("listbox")).to_be_hidden()


def shown_steps(page: Page) -> list[str]:
    return page.locator(".job tbody th").all_inner_texts()


def test_a_routing_is_made_and_a_job_from_it(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    processes = read(own_app, "/api/processes")["items"]
    page = visitor.open_board("#/routings/new")
    page.get_by_label("Name (required)").fill("Bracket")
    page.get_by_role("button", name="Add step", exact=True).click()
    page.get_by_role("button", name="Add routing").click()
    expect(page.get_by_text("Step 1: Choose a process.")).to_be_visible()
    choose(page, 0, "Process", processes[0]["name"])
    page.get_by_label("Set-up minutes").fill("20")
    page.get_by_label("Minutes a piece").fill("1,5")
    page.get_by_label("Instructions").fill("Deburr all edges.")
    page.get_by_role("button", name="Add step", exact=True).click()
    choose(page, 1, "Process", processes[1]["name"])
    page.get_by_role("button", name="Up step 2").click()
    expect(page.get_by_role("button", name="Up step 1")).to_be_focused()
    page.get_by_role("button", name="Add routing").click()
    expect(page.get_by_role("row").filter(has_text="Bracket")).to_contain_text(
        f"{processes[1]['name']}, {processes[0]['name']}"
    )
    routing = read(own_app, "/api/routings?q=Bracket")["items"][0]
    last = routing["steps"][1]
    assert (last["setup_minutes"], last["seconds_per_piece"], last["instructions"]) == (
        20,
        90,
        "Deburr all edges.",
    )

    page = visitor.open_board("#/jobs/new")
    page.get_by_label("Title (required)").fill("Bracket, steel")
    pick(page, "Steps of the routing", "Brack", "Bracket")
    page.get_by_role("button", name="Add job").click()
    expect(page.get_by_role("heading", name="Bracket, steel")).to_be_visible()
    assert [text.partition(" ")[2] for text in shown_steps(page)] == [
        processes[1]["name"],
        processes[0]["name"],
    ]
    expect(page.locator(".job tbody tr").nth(1)).to_contain_text(
        "20 min set-up, 1.5 min a piece. Deburr all edges."
    )


def test_a_routing_that_two_people_change_shows_both_versions(
    own_visit: Visiting, own_app: Application
) -> None:
    routing = first(own_app, "routings")
    visitor = own_visit("manager")
    visitor.expected = ["412"]
    page = visitor.open_board(f"#/routings/{routing['id']}/edit")
    page.get_by_role("button", name="Remove step 1").click()
    process = routing["steps"][0]["process"]
    own_app.client().patch(f"/api/routings/{routing['id']}", json={"steps": [{"process_id": process["id"]}]})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Somebody else changed this meanwhile")).to_be_visible()
    page.get_by_label(re.compile("^Theirs:")).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Routings")).to_be_visible()
    assert len(read(own_app, f"/api/routings/{routing['id']}")["steps"]) == 1


def test_steps_of_a_job_are_added_moved_skipped_and_removed(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    processes = [item["name"] for item in read(own_app, "/api/processes")["items"]]
    made = own_app.client().post("/api/jobs", json={"title": "Bracket"}).json or {}
    page = visitor.open_board(f"#/jobs/{made['id']}")
    page.get_by_role("link", name="Add steps").click()
    for place in range(3):
        page.get_by_role("button", name="Add step", exact=True).click()
        choose(page, place, "Process", processes[place])
    page.get_by_role("button", name="Add steps").click()
    rows = page.locator(".job tbody tr")
    expect(rows).to_have_count(3)

    def names() -> list[str]:
        return [step["process"]["name"] for step in read(own_app, f"/api/jobs/{made['id']}")["steps"]]

    page.get_by_role("button", name=f"Move {processes[0]} down").click()
    expect(rows.first).to_contain_text(processes[1])
    assert names() == [processes[1], processes[0], processes[2]]
    drag(page, rows.nth(2).locator("th"), rows.first.locator("th"))
    expect(rows.first).to_contain_text(processes[2])
    assert names() == [processes[2], processes[1], processes[0]]
    page.get_by_role("button", name="Undo").last.click()
    expect(rows.first).to_contain_text(processes[1])
    page.get_by_role("button", name=f"Remove {processes[1]}").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Undo").last.click()
    expect(rows).to_have_count(3)
    assert names() == [processes[1], processes[0], processes[2]]
    page.get_by_role("button", name=f"Skip {processes[0]}").click()
    expect(rows.nth(1)).to_contain_text("Skipped")


def test_a_reason_is_added_and_removed(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("manager").open_board("#/reasons/new")
    page.get_by_label("For").select_option("stop")
    page.get_by_label("Name (required)").fill("No material")
    page.get_by_role("button", name="Add reason").click()
    row = page.get_by_role("row").filter(has_text="No material")
    expect(row).to_contain_text("Stop of a machine")
    row.get_by_role("button", name="Remove No material").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert read(own_app, "/api/reasons?q=No material")["total"] == 0


def test_a_shift_past_midnight_and_a_holiday_are_kept(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["400"]
    page = visitor.open_board("#/working-hours/new")
    page.get_by_label("Day").select_option("Friday")
    page.get_by_label("From (required)").fill("22:00")
    page.get_by_label("Until (required)").fill("22:00")
    page.get_by_role("button", name="Add shift").click()
    expect(page.locator(".problem").filter(has_text="A shift has a length")).to_be_visible()
    page.get_by_label("Until (required)").fill("06:00")
    page.get_by_role("button", name="Add shift").click()
    row = page.get_by_role("row").filter(has_text="22:00")
    expect(row).to_contain_text("06:00 next day")
    expect(row).to_contain_text("8 h")
    row.get_by_role("link", name="Edit").click()
    page.get_by_label("Until (required)").fill("05:30")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("7 h 30 min")
    row.get_by_role("button", name="Remove Friday 22:00 to 05:30").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    go_to(page, "#/holidays")
    page.get_by_role("link", name="New holiday").click()
    page.get_by_label("Name (required)").fill("Works holidays")
    page.get_by_label("First day (required)").fill("2031-08-04")
    page.get_by_label("Last day").fill("2031-08-15")
    page.get_by_role("button", name="Add holiday").click()
    expect(page.get_by_role("row").filter(has_text="Works holidays")).to_contain_text("15 Aug 2031")
    [holiday] = read(own_app, "/api/holidays?date_from=2031-01-01")["items"]
    assert (holiday["first_day"], holiday["last_day"]) == ("2031-08-04", "2031-08-15")


def test_pickers_of_people_and_machines_show_their_load(visit: Visiting, app: Application) -> None:
    step = read(app, "/api/job-steps?waiting=true&page_size=1")["items"][0]
    person = read(app, "/api/users?is_active=true&page_size=1")["items"][0]
    page = visit("manager").open_board(f"#/job-steps/{step['id']}/edit")
    page.get_by_label("Person").fill(person["full_name"])
    load = person["load"]
    words = f"{load['in_progress']} on · {load['pending']} waiting"
    expect(page.get_by_role("option").first).to_contain_text(words)


def test_what_a_role_may_not_do_is_not_there(visit: Visiting) -> None:
    page = visit("operator").open_board("#/machines")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    expect(page.get_by_role("link", name="New machine")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    page = visit("manager").open_board("#/processes/new")
    expect(page.get_by_label("Name (required)")).to_be_visible()
    expect(page.get_by_label("Operator")).to_have_count(0)


ADDRESSES = (
    "#/processes",
    "#/processes/new",
    "#/machines/new",
    "#/routings",
    "#/routings/1/edit",
    "#/reasons",
    "#/reasons/new",
    "#/jobs/1",
    "#/jobs/1/steps",
)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_of_production_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("admin", look).open_board()
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    for address in ADDRESSES:
        go_to(page, address)
        expect(page.locator("#main .board, .waiting")).to_have_count(0)
        expect(page.locator("#main h1")).to_be_visible()
        if address.endswith("/steps"):
            page.get_by_role("button", name="Add step", exact=True).click()
        assert violations(page) == [], address
        assert overflow(page) <= 0, address
