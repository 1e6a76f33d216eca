"""The traveller of a job on a screen and on paper, and its codes at the terminal."""

from __future__ import annotations

import io
import urllib.request
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.application import Application
from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations
from tests.pages.test_print import on_paper
from tests.pages.test_work import PREPARE, RECORDS, SMALLEST, begin, offline, run

CENTIMETRE = 96 / 2.54  # CSS pixels
STEPS = """
SELECT job_id, array_agg(id ORDER BY step_order) FROM job_steps
WHERE job_id = (SELECT max(id) FROM jobs WHERE job_number = 'T-1') GROUP BY job_id
"""


@pytest.fixture
def shop(own_app: Application) -> Application:
    """Two steps of one job, one after the other, wait for the operator and nothing else does."""
    run(own_app, PREPARE, title="Bracket")
    return own_app


def ids(shop: Application) -> tuple[int, list[int]]:
    """The job of two steps, and its steps."""
    ((job, steps),) = run(shop, STEPS)
    return job, steps


def scanned(page: Page) -> Locator:
    return page.get_by_role("region", name="Scanned")


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_reached_from_the_job_and_has_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("operator", look).open_board("#/jobs?q=canaryalpha-0008")
    page.locator(".list-table .named").last.click()
    number = page.locator("h1 .job-number").inner_text()
    page.get_by_role("link", name="Traveller").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(number)
    assert page.locator(".traveller-steps li").count() >= 2
    assert violations(page) == []
    assert overflow(page) <= 0
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
    page.get_by_role("link", name="Back to the job").click()
    expect(page.get_by_role("heading", name="Steps", exact=True)).to_be_visible()


def modules(code: Locator) -> list[list[bool]]:
    """A code as a camera sees it: whether the middle of each of its modules is dark."""
    picture = Image.open(io.BytesIO(code.screenshot())).convert("L")
    count = int(str(code.get_attribute("viewBox")).split()[2])
    places = [(n + 0.5) / count for n in range(count)]
    dark = [
        [int(picture.getpixel((int(x * picture.width), int(y * picture.height)))) < 128 for x in places]  # type: ignore[arg-type]
        for y in places
    ]
    return dark


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_a_code_is_drawn_as_it_is_to_be_read(own_visit: Visiting, shop: Application, look: str) -> None:
    visit = own_visit("operator", look)
    job, (first, _) = ids(shop)
    page = visit.open(f"/jobs/{job}/traveller")
    address = f"{visit.site.url}/#/work?step={first}"
    expected = segno.make(address, micro=False, error="m").matrix_iter(border=4)
    assert modules(page.locator("ol .code svg").first) == [
        [bool(module) for module in row] for row in expected
    ]


def test_on_paper_codes_can_be_scanned_and_nothing_is_to_be_pressed(
    own_visit: Visiting,
    shop: Application,
) -> None:
    page = own_visit("operator", "dark").open(f"/jobs/{ids(shop)[0]}/traveller")
    on_paper(page)
    assert page.locator("button:visible, a:visible").count() == 0
    boxes = [code.bounding_box() for code in page.locator(".code svg").all()]
    assert len(boxes) == 3 and all(box and box["width"] >= 2.4 * CENTIMETRE for box in boxes)
    room = (
        page.locator(".room")
        .first.locator("dd")
        .evaluate_all("all => all.map(one => one.parentElement.offsetHeight)")
    )
    assert len(room) == 5 and min(room) >= CENTIMETRE
    assert overflow(page) <= 0


def test_without_a_sign_in_it_says_where_to_go(visit: Visiting) -> None:
    visitor = visit(None)
    visitor.expected = ["401"]
    page = visitor.open("/jobs/1/traveller")
    expect(page.get_by_role("heading")).to_have_text("Sign in to see this traveller")
    assert violations(page) == []
    page.get_by_role("link", name="Open the job").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_scanned_step_of_somebody_else_is_large_and_begins_by_one_touch(
    own_visit: Visiting,
    shop: Application,
) -> None:
    _, (first, second) = ids(shop)
    name = run(
        shop,
        "WITH m AS (SELECT id, full_name FROM users WHERE tenant_id = %(tenant)s AND role = 'manager' LIMIT 1)"
        " UPDATE job_steps SET assigned_user_id = m.id FROM m WHERE job_steps.id = %(step)s RETURNING m.full_name",
        step=first,
    )[0][0]
    page = own_visit("operator", "phone").open_board(f"#/work?step={first}")
    expect(scanned(page)).to_contain_text(f"for {name}")
    assert violations(page) == []
    assert overflow(page) <= 0
    box = scanned(page).get_by_role("button", name="Start", exact=False).bounding_box()
    assert box and box["height"] >= SMALLEST
    begin(page)
    assert len(run(shop, RECORDS)) == 1
    page.get_by_role("link", name="Close the scanned step").click()
    expect(scanned(page)).to_have_count(0)
    # It waits for the first one: why is said, and there is nothing to press.
    page.goto(page.url.partition("#")[0] + f"#/work?step={second}")
    expect(scanned(page)).to_contain_text("waits for")
    expect(scanned(page).get_by_role("button")).to_have_count(0)


def test_the_code_of_a_job_opens_its_next_step(own_visit: Visiting, shop: Application) -> None:
    job, (first, second) = ids(shop)
    page = own_visit("operator", "phone").open_board(f"#/work?job={job}")
    expect(scanned(page).locator(f"[data-row='{first}']")).to_be_visible()
    begin(page)
    scanned(page).get_by_role("button", name="Finish", exact=False).click()
    page.get_by_role("dialog").get_by_role("button", name="Finish", exact=True).click()
    page.get_by_role("heading", name="My work").tap()
    expect(scanned(page).locator(f"[data-row='{second}']")).to_be_visible()
    page.goto(page.url.partition("#")[0] + f"#/work?step={first}")
    expect(scanned(page)).to_contain_text("Completed")
    expect(scanned(page).get_by_role("button")).to_have_count(0)


def test_a_hand_scanner_opens_a_step_whatever_has_the_focus(
    own_visit: Visiting,
    shop: Application,
) -> None:
    job, (first, second) = ids(shop)
    visit = own_visit("operator")
    page = visit.open_board("#/work")
    start = page.get_by_role("button", name="Start", exact=False)
    start.focus()
    page.keyboard.type(f"{visit.site.url}/#/work?step={second}")
    page.keyboard.press("Enter")
    expect(scanned(page).locator(f"[data-row='{second}']")).to_be_visible()
    assert page.url.endswith(f"#/work?step={second}")
    assert run(shop, RECORDS) == []  # Enter pressed no button
    # The field has gone with the view before: the next scan finds the one of this view.
    page.keyboard.type(f"{visit.site.url}/#/work?job={job}")
    page.keyboard.press("Enter")
    expect(scanned(page).locator(f"[data-row='{first}']")).to_be_visible()
    begin(page)
    page.get_by_role("button", name="Finish", exact=False).click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Finish", exact=True)).to_be_focused()
    page.keyboard.type(f"{visit.site.url}/#/work?step={second}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")  # a person's
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("Finished")


def test_people_type_a_job_number_or_what_stands_below_a_code(
    own_visit: Visiting,
    shop: Application,
) -> None:
    job, (first, second) = ids(shop)
    page = own_visit("operator").open_board("#/work")
    field = page.get_by_label("Scan a traveller, or type a job number")

    def enter(text: str) -> None:
        field.fill(text)
        field.press("Enter")

    enter("T-9999")
    expect(page.get_by_role("alert")).to_have_text("There is no job T-9999.")
    for text, address, step in (
        ("t-1", f"job={job}", first),
        (f"step {second}", f"step={second}", second),
        (f"Job {job}", f"job={job}", first),
        (str(second), f"step={second}", second),
    ):
        enter(text)
        expect(scanned(page).locator(f"[data-row='{step}']")).to_be_visible()
        assert page.url.endswith(f"#/work?{address}")
    # A number that is one of a job is never read as that of a step.
    run(shop, "UPDATE jobs SET job_number = %(number)s WHERE id = %(job)s", number=str(second), job=job)
    enter(str(second))
    expect(scanned(page).locator(f"[data-row='{first}']")).to_be_visible()


def test_a_code_of_another_business_opens_nothing(own_visit: Visiting, shop: Application) -> None:
    foreign = run(shop, "SELECT max(id) FROM job_steps WHERE tenant_id <> %(tenant)s")[0][0]
    page = own_visit("admin").open_board(f"#/work?step={foreign}")
    expect(scanned(page)).to_contain_text("There is no such job or step here")
    expect(scanned(page).get_by_role("button")).to_have_count(0)


def test_without_a_network_a_step_of_this_device_is_opened(
    own_visit: Visiting,
    shop: Application,
) -> None:
    job, (first, _) = ids(shop)
    visit = own_visit("operator", "phone")
    visit.expected = ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]
    page = visit.open_board("#/work")
    expect(page.get_by_role("button", name="Start", exact=False)).to_be_visible()
    offline(page, True)
    page.keyboard.type(f"{visit.site.url}/#/work?job={job}")
    page.keyboard.press("Enter")
    expect(scanned(page).locator(f"[data-row='{first}']")).to_be_visible()
    page.keyboard.type("job 123456")
    page.keyboard.press("Enter")
    expect(scanned(page)).to_contain_text("This step is not on this device")
    offline(page, False)
    expect(scanned(page)).to_contain_text("There is no such job or step here")


def test_a_page_that_came_without_the_cookie_asks_who_is_signed_in(
    own_visit: Visiting,
    shop: Application,
) -> None:
    """A browser that a camera opened may send the cookie with the requests of the page only."""
    _, (first, _) = ids(shop)
    visit = own_visit("operator", "phone")
    with urllib.request.urlopen(visit.site.url + "/", timeout=20) as answer:
        without: Any = answer.read()
    assert b"data-known" not in without
    visit.page.route(
        visit.site.url + "/", lambda route: route.fulfill(body=without, content_type="text/html")
    )
    page = visit.open(f"/#/work?step={first}")
    expect(scanned(page).locator(f"[data-row='{first}']")).to_be_visible()
