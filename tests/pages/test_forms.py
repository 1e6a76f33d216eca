"""Forms that create and change records: by keyboard, mistakes at the field, two versions, nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations
from tests.pages.test_sign_in import PASSWORD
from tests.pages.test_writes import writes


def read(app: Application, path: str, role: str = "admin") -> dict[str, Any]:
    found = app.client(role).get(path)
    assert found.status_code == 200 and isinstance(found.json, dict)
    return found.json


def first(app: Application, area: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = read(app, f"/api/{area}?page_size=1")["items"]
    return items[0]


def sent(visitor: Visit) -> list[Any]:
    """Method, path and body of each write of the page."""
    return [
        (request.method, request.url.removeprefix(visitor.site.url), request.post_data_json)
        for request in writes(visitor)
    ]


def pick(page: Page, label: str, text: str, name: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")).click()
    expect(page.get_by_label(label, exact=True)).to_have_value(name)


def test_a_job_is_made_by_keyboard_alone(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board("#/jobs?status=active")
    customer = read(own_app, "/api/customers?page_size=1")["items"][0]
    page.get_by_role("link", name="New job").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title (required)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Enter a title.")).to_be_visible()
    expect(page.get_by_label("Title (required)")).to_be_focused()
    assert sent(visitor) == []
    page.keyboard.type("  Bracket, laser cut ")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(customer["name"][:-1])
    expect(page.get_by_role("option").first).to_be_visible()
    while page.locator("[role=option][aria-selected=true] span").first.inner_text() != customer["name"]:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("12122026")
    page.get_by_label("Priority").focus()
    page.keyboard.type("Urg")
    page.keyboard.press("Tab")
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bracket, laser cut")).to_be_visible()
    (((method, path, body)),) = sent(visitor)
    assert (method, path) == ("POST", "/api/jobs")
    assert body["customer_id"] == customer["id"] and body["status"] == "draft" and "job_number" not in body
    job = read(own_app, page.url.partition("#")[2].replace("/jobs", "/api/jobs"))
    made = {name: job[name] for name in ("title", "priority", "quantity", "due_date")}
    assert made == {
        "title": "Bracket, laser cut",
        "priority": "urgent",
        "quantity": 40,
        "due_date": "2026-12-12",
    }
    expect(page.locator("#toasts")).to_contain_text(f"Added {job['job_number']}.")
    page.go_back()
    expect(page.get_by_role("heading", name="Active jobs")).to_be_visible()


def test_all_of_a_job_is_changed_by_what_differs_and_taken_back(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    before = first(own_app, "jobs")
    path = f"/api/jobs/{before['id']}"
    before = read(own_app, path)
    page = visitor.open_board(f"#/jobs/{before['id']}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title (required)").fill("Another title")
    page.get_by_label("Job number (required)").fill("OTHER-1")
    page.get_by_label("Customer", exact=True).fill("")
    page.get_by_label("Due date").fill("2027-01-31")
    page.get_by_label("Priority").select_option("low")
    page.get_by_label("Quantity (required)").fill("77")
    page.get_by_label("Description").fill("Deburr all edges.\nSecond line.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Another title")).to_be_visible()
    body = {
        "title": "Another title",
        "job_number": "OTHER-1",
        "customer_id": None,
        "due_date": "2027-01-31",
        "priority": "low",
        "quantity": 77,
        "description": "Deburr all edges.\nSecond line.",
    }
    assert sent(visitor) == [("PATCH", path, body)]
    assert writes(visitor)[0].headers["if-match"]
    after = read(own_app, path)
    assert {name: after[name] for name in body if name != "customer_id"} == {
        name: value for name, value in body.items() if name != "customer_id"
    }
    assert after["customer"] is None
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=before["title"])).to_be_visible()
    undone = read(own_app, path)
    assert {name for name in after if undone[name] != before[name]} == {"updated_at"}


def test_what_the_api_refuses_stands_at_its_field(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["400", "409", "422"]
    page = visitor.open_board("#/jobs/new")
    page.get_by_label("Title (required)").fill("A title")
    page.get_by_label("Quantity (required)").fill("0")
    page.get_by_role("button", name="Add job").click()
    expect(page.locator("#field-quantity-problem")).to_have_text("Quantity must be 1 or more.")
    expect(page.get_by_label("Quantity (required)")).to_be_focused()
    expect(page.get_by_label("Quantity (required)")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Quantity (required)").fill("1")
    number = first(own_app, "jobs")["job_number"]
    page.get_by_label("Job number").fill(number)
    page.get_by_role("button", name="Add job").click()
    expect(page.locator("#field-job_number-problem")).to_be_visible()
    expect(page.locator("#field-quantity-problem")).to_be_hidden()
    expect(page.get_by_label("Job number")).to_be_focused()
    expect(page.get_by_label("Title (required)")).to_have_value("A title")
    assert read(own_app, "/api/jobs?page_size=1")["total"] == 90


def test_two_who_change_one_job_see_both_versions_and_decide(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["412"]
    job = first(own_app, "jobs")
    path = f"/api/jobs/{job['id']}"
    page = visitor.open_board(f"#/jobs/{job['id']}/edit")
    page.get_by_label("Title (required)").fill("Mine")
    page.get_by_label("Quantity (required)").fill("11")
    page.get_by_label("Priority").select_option("urgent")
    theirs = {"title": "Theirs", "quantity": 22, "due_date": "2027-02-01"}
    assert own_app.client("admin").patch(path, json=theirs).status_code == 200
    page.get_by_role("button", name="Save").click()
    versions = page.locator(".conflict")
    expect(versions).to_be_focused()
    expect(versions.get_by_role("group", name="Title")).to_contain_text("Yours: Mine")
    expect(versions.get_by_role("group", name="Title")).to_contain_text("Theirs: Theirs")
    expect(versions.locator("dl")).to_contain_text("1 Feb 2027")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose a version first: Title, Quantity.")).to_be_visible()
    assert read(own_app, path)["title"] == "Theirs"
    versions.get_by_role("group", name="Title").get_by_role("radio").first.press("Space")
    versions.get_by_role("group", name="Quantity").get_by_role("radio").last.press("Space")
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    assert sent(visitor)[-1][2] == {"title": "Mine", "priority": "urgent"}
    after = read(own_app, path)
    assert (after["title"], after["quantity"], after["priority"], after["due_date"]) == (
        "Mine",
        22,
        "urgent",
        "2027-02-01",
    )


def test_nothing_typed_is_lost_when_the_sign_in_ends(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["401"]
    page = visitor.open_board("#/customers/new")
    page.get_by_label("Name (required)").fill("Muster & Söhne")
    page.get_by_label("Address").fill("Line one")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add customer").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_contain_text("Your sign-in has ended. Sign in again.")
    expect(page.get_by_label("Name (required)")).to_be_hidden()
    expect(page.locator("#who")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialog.get_by_label("E-mail address")).to_have_value(own_app.alpha.email("manager"))
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("Address")).to_have_value("Line one")
    page.get_by_role("button", name="Add customer").click()
    expect(page.locator("#toasts")).to_contain_text("Added Muster & Söhne.")
    (made,) = read(own_app, "/api/customers?q=muster")["items"]
    assert made["address"] == "Line one"


def test_somebody_else_who_signs_in_sees_nothing_of_what_was_typed(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    visitor.expected = ["401"]
    page = visitor.open_board("#/contacts/new")
    page.get_by_label("Name (required)").fill("Of the manager")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add contact").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("E-mail address").fill(own_app.alpha.email("operator"))
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("Name (required)")).to_have_value("")
    expect(page.get_by_role("link", name="Users")).to_be_hidden()
    assert page.locator("#who").get_attribute("title").endswith(", operator")  # type: ignore[union-attr]


def test_what_was_typed_is_there_again_after_another_view_and_polls(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("manager")
    visitor.page.clock.install()
    customer = first(own_app, "customers")
    page = visitor.open_board("#/customers")
    page.locator(f"[data-key=edit-customers-{customer['id']}]").click()
    page.get_by_label("Phone").fill("+49 30 1")
    own_app.client().patch(f"/api/customers/{customer['id']}", json={"address": "Moved"})
    let_pass_until_shown(page, page.get_by_text("Somebody else has just changed this."))
    expect(page.get_by_label("Phone")).to_have_value("+49 30 1")
    page.get_by_role("link", name="Leads").click()
    expect(page.get_by_role("heading", name="Leads")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Phone")).to_have_value("+49 30 1")
    expect(page.get_by_text("What you typed before is here again.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name=re.compile("^Leads|^Customers"))).to_be_visible()
    assert sent(visitor) == []


def test_a_step_is_given_to_a_person_and_a_machine(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    step = next(
        one
        for one in read(own_app, "/api/job-steps?status=pending&page_size=100")["items"]
        if one["job"]["status"] == "active"
    )
    person = read(own_app, "/api/users?is_active=true&role=operator")["items"][0]
    machine = next(
        one for one in read(own_app, "/api/machines?status=active")["items"] if one != step["machine"]
    )
    page = visitor.open_board(f"#/jobs/{step['job']['id']}")
    page.locator(f"[data-key=edit-job-steps-{step['id']}]").click()
    pick(page, "Person", person["full_name"][:-1], person["full_name"])
    page.get_by_label("Machine", exact=True).fill(machine["name"])
    load = machine["load"]
    option = page.get_by_role("option", name=machine["name"]).first
    expect(option).to_contain_text(f"{load['in_progress']} on · {load['pending']} waiting")
    option.click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    after = read(own_app, f"/api/job-steps/{step['id']}")
    assert (after["assigned_user"]["id"], after["machine"]["id"]) == (person["id"], machine["id"])


@pytest.mark.parametrize(
    ("area", "one", "members"),
    [
        ("customers", "customer", {"Name (required)": "name", "E-mail": "email", "Address": "address"}),
        ("contacts", "contact", {"Name (required)": "name", "Phone": "phone"}),
        ("leads", "lead", {"Name (required)": "name", "Source": "source", "Notes": "notes"}),
    ],
)
def test_records_are_added_and_changed(
    own_visit: Visiting, own_app: Application, area: str, one: str, members: dict[str, str]
) -> None:
    page = own_visit("manager").open_board(f"#/{area}")
    page.get_by_role("link", name=f"New {one}").click()
    values = {label: f"{member}@new.example" for label, member in members.items()}
    for label, value in values.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name=f"Add {one}").click()
    expect(page.locator("#toasts")).to_contain_text("Added name@new.example.")
    expect(page.get_by_label(re.compile("begins with|^Words of"))).to_be_visible()
    (made,) = read(own_app, f"/api/{area}?q=name@new.example")["items"]
    assert {label: made[member] for label, member in members.items()} == values
    page.get_by_label(re.compile("begins with|^Words of")).fill("name@new")
    expect(page.locator("#total")).to_have_text(f"1 {one}")
    page.get_by_role("link", name="Edit name@new.example").click()
    page.get_by_label("Name (required)").fill("Renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved Renamed.")
    expect(page.locator("#total")).to_have_text(f"0 {one}s")
    assert read(own_app, f"/api/{area}/{made['id']}")["name"] == "Renamed"


def test_an_operator_finds_only_the_forms_they_may_use(visit: Visiting, app: Application) -> None:
    page = visit("operator").open_board("#/jobs")
    for area, link in (("jobs", "New job"), ("customers", "New customer"), ("leads", "New lead")):
        page.evaluate("view => { location.hash = view }", f"#/{area}")
        expect(page.locator("#total")).to_have_text(re.compile("[0-9]"))
        expect(page.get_by_role("link", name=link)).to_have_count(0)
    job = first(app, "jobs")["id"]
    for address in ("jobs/new", f"jobs/{job}/edit", "customers/new", "leads/new"):
        page.evaluate("view => { location.hash = view }", f"#/{address}")
        expect(page.get_by_text("Your role may not change this. Ask a manager.")).to_be_visible()
        expect(page.locator("form")).to_have_count(0)
    page.evaluate("view => { location.hash = view }", f"#/contacts/{first(app, 'contacts')['id']}/edit")
    expect(page.get_by_label("Name (required)")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_forms_have_no_barriers(visit: Visiting, app: Application, look: str) -> None:
    page = visit("manager", look).open_board(f"#/jobs/{first(app, 'jobs')['id']}/edit")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_label("Title (required)").fill("")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Customer", exact=True).fill("canary")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0


def test_an_approval_is_decided_with_a_comment(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    waiting = read(own_app, "/api/workflow-approvals/pending")["items"]
    page = visitor.open_board("#/workflow-approvals/pending")
    page.get_by_role("button", name=f"Return: {waiting[0]['subject']}", exact=True).press("Enter")
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Say why, or what to change.")
    assert sent(visitor) == []
    page.keyboard.type("Say the price.")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Returned for changes")
    path = f"/api/workflow-approvals/{waiting[0]['id']}"
    assert sent(visitor) == [
        ("POST", f"{path}/decision", {"decision": "request_changes", "comment": "Say the price."})
    ]
    assert read(own_app, path)["status"] == "changes_requested"
    expect(page.locator("#total")).to_have_text(f"{len(waiting) - 1} approvals")
    other = own_visit("operator").open_board("#/workflow-approvals/pending")
    expect(other.locator(".list-table tbody tr").first).to_be_visible()
    expect(other.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
