"""The search dialog, pages of records with their history, and the audit log."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations


def test_slash_and_ctrl_k_open_the_search_and_a_result_opens_its_record(visit: Visiting) -> None:
    page = visit("manager").open_board("#/machines")
    for key in ("/", "Control+k"):
        page.keyboard.press(key)
        box = page.get_by_role("combobox", name="Search")
        expect(box).to_be_focused()
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("customer 12")
    expect(page.locator(".search [role=option]").first).to_contain_text("canaryalpha customer 12")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="canaryalpha customer 12")).to_be_visible()
    expect(page.get_by_text("Nothing was noted yet.")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("nothing is called so")
    expect(page.get_by_text("Nothing has all these words.")).to_be_visible()


def test_a_slash_that_is_typed_into_a_field_opens_nothing(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    page.locator("input[type=search]").press_sequentially("/")
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_search_and_records_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("#/audit")
    expect(page.locator("#total")).to_contain_text("entries")
    assert (violations(page), overflow(page) <= 0) == ([], True)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("canaryalpha")
    expect(page.locator(".search [role=option]").first).to_be_visible()
    assert (violations(page), overflow(page) <= 0) == ([], True)
    page.keyboard.press("Escape")
    page.goto(page.url.partition("#")[0] + "#/customers/1")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    assert (violations(page), overflow(page) <= 0) == ([], True)


def test_history_is_told_in_words(own_visit: Visiting, own_app: Application) -> None:
    client = own_app.client()
    made = client.post("/api/customers", json={"name": "Acme", "phone": "1"}).json
    assert made is not None
    assert client.patch(f"/api/customers/{made['id']}", json={"phone": "22"}).status_code == 200
    page = own_visit("manager").open_board(f"#/customers/{made['id']}")
    expect(page.locator(".history li").first).to_contain_text(
        "canaryalpha admin changed the phone from “1” to “22”."
    )
    expect(page.locator(".history li").last).to_contain_text("added customer")
    operator = own_visit("operator").open_board(f"#/customers/{made['id']}")
    expect(operator.get_by_role("heading", name="Acme")).to_be_visible()
    expect(operator.get_by_role("heading", name="History")).to_have_count(0)


def test_jobs_are_narrowed_by_machine_and_days(visit: Visiting, app: Application) -> None:
    page = visit("manager").open_board("#/jobs")
    page.get_by_label("Machine", exact=True).click()
    page.locator(".picker-options [role=option]").first.click()
    expect(page).to_have_url(re.compile("machine_id="))
    machine = page.url.partition("machine_id=")[2]
    answer = app.client().get(f"/api/jobs?machine_id={machine}").json
    assert answer is not None and 0 < answer["total"] < 90
    expect(page.locator("#total")).to_have_text(f"{answer['total']} jobs")
    page.get_by_label("Due until").fill("2000-01-01")
    page.get_by_label("Due until").blur()
    expect(page.locator("#total")).to_have_text("0 jobs")


def test_a_person_is_anonymised_after_two_questions(own_visit: Visiting, own_app: Application) -> None:
    made = own_app.client().post("/api/customers", json={"name": "Zelda Quux"}).json
    assert made is not None
    page = own_visit("admin").open_board(f"#/customers/{made['id']}")
    page.get_by_role("button", name="Anonymise").click()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Type the name").fill("Zelda")
    page.get_by_role("button", name="Anonymise for good").click()
    expect(page.get_by_text("This is not the name.")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Type the name").fill("Zelda Quux")
    page.get_by_role("button", name="Anonymise for good").click()
    expect(page.get_by_role("heading", name=f"Anonymised customer {made['id']}")).to_be_visible()
    expect(page.get_by_text("canaryalpha admin anonymised customer")).to_be_visible()
