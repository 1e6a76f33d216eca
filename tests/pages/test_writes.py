"""Writes by press: each asks for what it needs, is made once, says what it did and can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Request, Route, expect

from tests.application import Application
from tests.pages.browser import Visit
from tests.pages.conftest import Visiting

ROWS = ".list-table tbody tr"


def writes(visitor: Visit) -> list[Request]:
    return [request for request in visitor.requests if request.method != "GET"]


def middle_of(button: Locator) -> tuple[float, float]:
    # Away from the bars at the top and the bottom.
    button.evaluate("button => button.scrollIntoView({ block: 'center' })")
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def steps_of(app: Application, status: str) -> set[int]:
    items = app.client().get(f"/api/job-steps?status={status}&page_size=100").json["items"]  # type: ignore[index]
    return {item["id"] for item in items}


def audited(app: Application, entity: str) -> int:
    return int(app.client().get(f"/api/audit?entity={entity}&page_size=1").json["total"])  # type: ignore[index]


def test_three_taps_on_one_spot_start_one_step(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("operator", "phone")
    page = visitor.open_board()
    running = steps_of(own_app, "in_progress")
    x, y = middle_of(page.locator("#mine button", has_text="Start").first)
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    expect(page.locator("#toasts")).to_contain_text("Started ")
    page.touchscreen.tap(x, y)
    page.wait_for_timeout(300)
    assert [request.post_data for request in writes(visitor)] == ['{"status":"in_progress"}']
    assert len(steps_of(own_app, "in_progress") - running) == 1
    expect(page.locator("dialog")).to_have_count(0)


def test_completing_asks_for_the_pieces_and_taps_complete_no_other_step(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("operator", "phone")
    page = visitor.open_board("#/job-steps?mine=true&status=in_progress")
    x, y = middle_of(page.locator(ROWS).get_by_role("button", name=re.compile("^Complete")).first)
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Good pieces").fill("")
    dialog.get_by_role("button", name="Complete").tap()
    expect(dialog.get_by_role("alert")).to_have_text("Enter the number of good pieces; 0 if there are none.")
    dialog.get_by_label("Good pieces").fill("7.5")
    dialog.get_by_role("button", name="Complete").tap()
    expect(dialog.get_by_role("alert")).to_contain_text("as a whole number, for example 12.")
    assert writes(visitor) == []
    dialog.get_by_label("Good pieces").fill("7")
    dialog.get_by_label("Rejected pieces").fill("2")
    x, y = middle_of(dialog.get_by_role("button", name="Complete"))
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    expect(page.locator("#toasts")).to_contain_text(re.compile(r"Completed .+: 7 good, 2 rejected\."))
    page.touchscreen.tap(x, y)
    page.wait_for_timeout(300)
    body = '{"status":"completed","quantity_done":7,"quantity_rejected":2}'
    (write,) = writes(visitor)
    assert write.post_data == body
    found = own_app.client().get(write.url.removeprefix(visitor.site.url)).json
    assert found is not None and (found["quantity_done"], found["quantity_rejected"]) == (7, 2)


def test_the_row_stays_until_the_pointer_has_left(own_visit: Visiting) -> None:
    page = own_visit("operator").open_board("#/job-steps?mine=true&status=pending")
    names = page.locator(f"{ROWS} [data-key^=move]").evaluate_all("all => all.map(one => one.dataset.key)")
    x, y = middle_of(page.locator(ROWS).get_by_role("button").nth(1))
    page.mouse.click(x, y)
    expect(page.locator(ROWS).get_by_role("button").nth(1)).to_have_text("Started")
    expect(page.locator("#total")).to_have_text(f"{len(names) - 1} steps")
    expect(page.locator(ROWS)).to_have_count(len(names))
    page.mouse.move(x, 5)
    expect(page.locator(ROWS)).to_have_count(len(names) - 1)
    left = page.locator(f"{ROWS} [data-key^=move]").evaluate_all("all => all.map(one => one.dataset.key)")
    assert left == [*names[:1], *names[2:]]


def start(page: Page) -> None:
    page.locator(ROWS).get_by_role("button", name=re.compile("^Start")).first.click()


def complete(page: Page) -> None:
    page.locator(ROWS).get_by_role("button", name=re.compile("^Complete")).first.click()
    page.get_by_role("dialog").get_by_label("Good pieces").fill("3")
    page.get_by_role("dialog").get_by_role("button", name="Complete").click()


def set_job(page: Page) -> None:
    page.locator(f"{ROWS} .named").first.click()
    page.get_by_label("Set to").select_option("on_hold")
    page.get_by_role("button", name="Set the status").click()


def set_machine(page: Page) -> None:
    row = page.locator(ROWS).first
    row.get_by_role("combobox").select_option("maintenance")
    row.get_by_role("button", name="Set the status").click()


def mark_one(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Mark read")).first.click()


def mark_all(page: Page) -> None:
    page.get_by_role("button", name="Mark all read").click()


def make_link(page: Page) -> None:
    page.locator(f"{ROWS} .named").first.click()
    page.get_by_text("Status link").click()
    page.get_by_role("button", name="New link").click()


# View, write, what it is read by, whether the audit log notes it.
UNDOABLE: list[tuple[str, Callable[[Page], None], str, str | None]] = [
    ("#/job-steps?mine=true&status=pending", start, "/api/job-steps?mine=true&page_size=100", "job_step"),
    (
        "#/job-steps?mine=true&status=in_progress",
        complete,
        "/api/job-steps?mine=true&page_size=100",
        "job_step",
    ),
    ("#/jobs?status=active&sort=job_number", set_job, "/api/jobs?page_size=100&sort=job_number", "job"),
    ("#/machines", set_machine, "/api/machines?page_size=100", "machine"),
    ("#/notifications?unread=true", mark_one, "/api/notifications?page_size=100", None),
    ("#/notifications?unread=true", mark_all, "/api/notifications?page_size=100", None),
]


@pytest.mark.parametrize(("view", "write", "path", "entity"), UNDOABLE)
def test_undo_brings_back_what_was(
    own_visit: Visiting,
    own_app: Application,
    view: str,
    write: Callable[[Page], None],
    path: str,
    entity: str | None,
) -> None:
    def state() -> list[dict[str, Any]]:
        items = own_app.client("manager").get(path).json["items"]  # type: ignore[index]
        return sorted(({**item, "updated_at": None} for item in items), key=lambda item: int(item["id"]))

    visitor = own_visit("manager")
    page = visitor.open_board(view)
    before, notes = state(), audited(own_app, entity) if entity else 0
    write(page)
    expect(page.locator("#toasts")).to_have_text(re.compile("Undo$"))
    assert state() != before
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone: ")
    assert state() == before
    if entity:
        assert audited(own_app, entity) == notes + 2
    keys = [request.headers.get("idempotency-key") for request in writes(visitor)]
    assert len(set(keys)) == 2 and None not in keys


def test_undo_of_a_new_link_revokes_it_and_revoking_asks_first(own_visit: Visiting) -> None:
    visitor = own_visit("manager")
    page = visitor.open_board("#/jobs?q=canaryalpha-0008")
    make_link(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("No link is in force.")).to_be_visible()
    page.get_by_role("button", name="New link").click()
    page.get_by_role("button", name=re.compile("^Revoke the link")).click()
    expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name=re.compile("^Revoke the link"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Revoke the link")).click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("#toasts")).to_contain_text("The link was revoked. This cannot be undone")
    expect(page.get_by_text("No link is in force.")).to_be_visible()


def test_undo_of_a_completed_job_says_what_it_does_not_bring_back(own_visit: Visiting) -> None:
    page = own_visit("manager").open_board("#/jobs?status=completed")
    set_job(page)
    expect(page.locator("#toasts")).to_contain_text("Undo gives it a new time of completion.")


def test_undo_takes_back_no_change_of_somebody_else(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("manager").open_board("#/machines")
    set_machine(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    client = own_app.client()
    machine = client.get("/api/machines?page_size=1").json["items"][0]["id"]  # type: ignore[index]
    assert client.patch(f"/api/machines/{machine}", json={"status": "inactive"}).status_code == 200
    undo.click()
    expect(page.locator(".notice")).to_contain_text("Nothing was undone.")
    found = client.get(f"/api/machines/{machine}").json
    assert found is not None and found["status"] == "inactive"


def test_the_message_tells_what_contradicts(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("manager").open_board("#/jobs?status=draft")
    page.locator(f"{ROWS} .named").first.click()
    page.get_by_role("button", name=re.compile("^Start")).first.click()
    expect(page.locator("#toasts .warning").first).to_contain_text(re.compile("[a-z]+"))
    step = own_app.client().get(page.url.partition("#")[2].replace("/jobs", "/api/jobs")).json
    assert step is not None and "in_progress" in [one["status"] for one in step["steps"]]


def test_steps_of_a_job_that_has_ended_offer_no_start(own_visit: Visiting, own_app: Application) -> None:
    client = own_app.client()
    job = client.get("/api/jobs?status=active&page_size=1").json["items"][0]["id"]  # type: ignore[index]
    page = own_visit("manager").open_board(f"#/jobs/{job}")
    expect(page.get_by_role("button", name=re.compile("^Start"))).not_to_have_count(0)
    assert client.patch(f"/api/jobs/{job}", json={"status": "cancelled"}).status_code == 200
    page.reload()
    expect(page.locator(".list-head .chip").first).to_have_text("Cancelled")
    expect(page.get_by_role("button", name=re.compile("^Start"))).to_have_count(0)


def test_undo_stays_ten_seconds_and_longer_under_the_pointer(own_visit: Visiting) -> None:
    visitor = own_visit("operator")
    visitor.page.clock.install()
    page = visitor.open_board("#/machines")
    set_machine(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    page.clock.run_for(9_000)
    expect(undo).to_be_visible()
    undo.hover()
    page.clock.run_for(15_000)
    expect(undo).to_be_visible()
    page.mouse.move(5, 5)
    page.clock.run_for(10_100)
    expect(undo).to_have_count(0)


def test_undo_is_one_line_on_a_phone(own_visit: Visiting) -> None:
    page = own_visit("operator", "phone").open_board("#/machines")
    set_machine(page)
    undo = page.get_by_role("button", name="Undo")
    box = undo.bounding_box()
    assert box and box["height"] <= 48, "its word is broken into two lines"


def test_a_write_without_an_answer_is_made_once_however_often_it_is_pressed(
    own_visit: Visiting, own_app: Application
) -> None:
    visitor = own_visit("operator")
    visitor.expected = ["ERR_FAILED"]
    listed: list[APIResponse] = []

    def keep_list(route: Route) -> None:
        # A poll in between would show that the write was made, and leave nothing to press.
        listed[:] = listed or [route.fetch()]
        route.fulfill(response=listed[0])

    visitor.page.route(re.compile(r"/api/machines\?"), keep_list)
    page = visitor.open_board("#/machines")
    before = audited(own_app, "machine")
    answers = []

    def lose_first(route: Route) -> None:
        answers.append(route.fetch())
        route.abort() if len(answers) == 1 else route.fulfill(response=answers[-1])

    page.route(re.compile("/api/machines/[0-9]+$"), lose_first)
    set_machine(page)
    expect(page.locator(".notice")).to_contain_text("The server cannot be reached.")
    set_machine(page)
    expect(page.locator("#toasts")).to_contain_text("is now maintenance")
    first, again = writes(visitor)
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert audited(own_app, "machine") == before + 1


@pytest.mark.parametrize("view", ["#/machines", "#/jobs?status=draft"])
def test_a_select_writes_nothing_by_itself_and_keeps_its_choice(
    own_visit: Visiting, own_app: Application, view: str
) -> None:
    visitor = own_visit("manager")
    visitor.page.clock.install()
    page = visitor.open_board(view)
    if "jobs" in view:
        page.locator(f"{ROWS} .named").first.click()
        expect(page.get_by_label("Set to")).to_be_visible()
    select = page.locator(".status-choice select").first
    select.focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    chosen = select.input_value()
    assert own_app.client().post("/api/jobs", json={"title": "news"}).status_code == 201
    for _ in range(3):
        page.clock.run_for(5_100)
        page.wait_for_timeout(100)
    assert writes(visitor) == []
    expect(select).to_have_value(chosen)
    button = page.locator(".status-choice").first.get_by_role("button")
    button.click()
    expect(page.locator("#toasts")).to_contain_text("is now ")
    expect(button).to_have_attribute("aria-disabled", "true")
    assert [request.post_data for request in writes(visitor)] == [f'{{"status":"{chosen}"}}']
