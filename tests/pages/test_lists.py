"""Lists and details: filters and pages in the address, writes by button, errors in words."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.application import Application
from tests.pages.browser import until
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting

ROWS = ".list-table tbody tr"
FIRST = f"{ROWS} .job-number >> nth=0"


def test_pages_follow_each_other_by_cursor_and_back_returns(visit: Visiting) -> None:
    page = visit().open_board("#/jobs?sort=job_number")
    seen = page.locator(f"{ROWS} .job-number").all_inner_texts()
    for number in (26, 51, 76):
        page.get_by_role("link", name="Next").click()
        expect(page.locator(FIRST)).to_have_text(f"CANARYALPHA-{number:04}")
        seen += page.locator(f"{ROWS} .job-number").all_inner_texts()
    assert seen == [f"CANARYALPHA-{n:04}" for n in range(1, 91)]
    expect(page.locator("#total")).to_have_text("90 jobs")
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(FIRST)).to_have_text("CANARYALPHA-0051")
    page.go_back()
    expect(page.locator(FIRST)).to_have_text("CANARYALPHA-0076")


def test_filters_stand_in_the_address_and_survive_a_reload(visit: Visiting) -> None:
    page = visit().open_board("#/jobs")
    page.get_by_label("Status").focus()
    page.get_by_label("Status").select_option("on_hold")
    expect(page.locator("#total")).to_have_text("8 jobs")
    assert page.evaluate("document.activeElement.name") == "status"
    page.reload()
    expect(page.get_by_label("Status")).to_have_value("on_hold")
    expect(page.get_by_role("heading", name="Jobs on hold")).to_be_visible()
    page.go_back()
    expect(page.locator("#total")).to_have_text("90 jobs")


def test_search_keeps_the_cursor_in_its_box(visit: Visiting) -> None:
    page = visit().open_board("#/jobs")
    page.get_by_label("Words of number or title").press_sequentially("canaryalpha-008")
    expect(page.locator("#total")).to_have_text("11 jobs")  # 0008 too: leading zeros do not count
    page.keyboard.type("5")
    expect(page.locator("#total")).to_have_text("1 job")
    assert page.url.endswith("q=canaryalpha-0085")


def test_a_filter_from_a_link_can_be_taken_away(visit: Visiting) -> None:
    page = visit().open_board("#/jobs?created_from=2100-01-01")
    expect(page.get_by_text("There are no jobs like this.")).to_be_visible()
    page.get_by_role("link", name=re.compile("Added from: 1 Jan 2100")).click()
    expect(page.locator("#total")).to_have_text("90 jobs")


def test_job_shows_its_steps_and_progress(visit: Visiting, app: Application) -> None:
    page = visit().open_board("#/jobs?q=canaryalpha-0008")
    page.locator(FIRST).click()
    expect(page.get_by_role("heading", name="canaryalpha job 8")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(3)
    job = app.client().get(page.url.partition("#")[2].replace("/jobs", "/api/jobs")).json
    assert job is not None
    expect(page.get_by_label(f"{job['progress']['done']} of 3 steps done")).to_have_count(1)
    expect(page).to_have_title("CANARYALPHA-0008 · canaryalpha works")


def test_job_of_another_business_is_told_in_words_with_the_request_id(
    visit: Visiting, app: Application
) -> None:
    visitor = visit()
    visitor.expected = ["404"]
    jobs = app.client("admin", app.beta).get("/api/jobs?page_size=1").json
    assert jobs is not None
    page = visitor.open_board(f"#/jobs/{jobs['items'][0]['id']}")
    expect(page.locator("main .problem")).to_contain_text(re.compile(r"Request [0-9a-f]{16}"))
    expect(page.locator("main")).not_to_contain_text("canarybeta")


def test_address_with_an_unknown_filter_is_told_in_words(visit: Visiting) -> None:
    visitor = visit()
    visitor.expected = ["400"]
    page = visitor.open_board("#/jobs?colour=red")
    expect(page.locator("main .problem")).to_contain_text("colour")


def test_manager_sets_the_status_of_a_job(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("manager").open_board("#/jobs?status=draft")
    page.locator(FIRST).click()
    page.get_by_label("Set to").select_option("active")
    page.get_by_role("button", name="Set the status").click()
    expect(page.locator(".list-head .chip").first).to_have_text("Active")
    stats = own_app.client("manager").get("/api/dashboard/stats").json
    assert stats is not None and stats["jobs"]["draft"] == 5


def test_operator_sets_the_status_of_a_machine(own_visit: Visiting) -> None:
    page = own_visit("operator").open_board("#/machines")
    row = page.locator(ROWS).first
    row.get_by_role("combobox").focus()
    row.get_by_role("combobox").select_option("maintenance")
    row.get_by_role("button").press("Enter")
    expect(row.locator(".chip")).to_have_text("Maintenance")
    assert page.evaluate("document.activeElement.dataset.key").startswith("set-machine-")


def test_refused_write_is_told_in_words_and_changes_nothing_shown(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("operator")
    visitor.expected = ["403"]
    admin = own_app.client()
    processes = admin.get("/api/processes").json["items"]  # type: ignore[index]
    closed = next(found["id"] for found in processes if found["permissions"])
    step = admin.get(f"/api/job-steps?process_id={closed}&status=pending&waiting=true").json["items"][0]["id"]  # type: ignore[index]
    me = own_app.client("operator").get("/api/auth/me").json["id"]  # type: ignore[index]
    assert admin.patch(f"/api/job-steps/{step}", json={"assigned_user_id": me}).status_code == 200
    page = visitor.open_board(f"#/job-steps?process_id={closed}&status=pending&mine=true")
    page.get_by_role("button", name="Start").first.click()
    expect(page.locator(".notice")).to_contain_text("Your role may not work on this process.")
    expect(page.locator(f"{ROWS} .chip").first).to_have_text("Waiting")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".notice")).to_have_count(0)


def test_notifications_are_marked_read_one_and_all(own_visit: Visiting) -> None:
    page = own_visit("operator").open_board()
    expect(page.get_by_role("link", name="4 unread notifications")).to_be_visible()
    page.locator("#bell").click()
    expect(page.locator(ROWS)).to_have_count(4)
    page.get_by_role("button", name=re.compile("^Mark read")).first.click()
    expect(page.locator("#unread")).to_have_text("3")
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_text("There are no notifications like this.")).to_be_visible()
    expect(page.get_by_role("link", name="No unread notifications")).to_be_visible()


def test_keyboard_focus_survives_a_poll_that_brings_news(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("manager")
    visitor.page.clock.install()
    page = visitor.open_board()
    page.locator("#recent .line-main").nth(1).focus()
    focused = page.evaluate("document.activeElement.textContent")
    assert own_app.client().post("/api/jobs", json={"title": "newest of all"}).status_code == 201
    let_pass_until_shown(page, page.locator("#recent"), "newest of all")
    assert until(page, "document.activeElement.textContent") == focused


def test_a_list_is_exported_as_it_is_filtered(visit: Visiting) -> None:
    page = visit().open_board("#/jobs?status=on_hold&sort=job_number")
    expect(page.locator("#total")).to_have_text("8 jobs")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert re.fullmatch(r"jobs-\d{8}T\d{6}Z\.csv", download.value.suggested_filename)
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Id,Job number,")
    assert [line.split(",")[1] for line in lines[1:]] == [f"CANARYALPHA-{n:04}" for n in range(31, 39)]
