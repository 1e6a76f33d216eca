"""The menu: every page a role may open, one place to look for it, at any width and without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations

FOR_ALL = {
    "Board", "My work", "Jobs", "Steps", "Machines", "Customers", "Leads", "Approvals", "Campaigns", "Journeys",
}  # fmt: skip
FOR_MANAGERS = FOR_ALL | {"Load", "Users", "Audit log"}
FOR_ADMINS = FOR_MANAGERS | {"Import", "Settings", "Operate"}


def entries(page: Page) -> list[tuple[str, str]]:
    """The words and the address of each entry in sight."""
    found = "all => all.filter(a => a.checkVisibility()).map(a => [a.textContent, a.getAttribute('href')])"
    return [(words, href) for words, href in page.locator("#areas a").evaluate_all(found)]


@pytest.mark.parametrize(
    ("role", "known"), [("operator", FOR_ALL), ("manager", FOR_MANAGERS), ("admin", FOR_ADMINS)]
)
def test_every_entry_opens_its_page_and_is_marked(visit: Visiting, role: str, known: set[str]) -> None:
    page = visit(role).open_board()
    assert known <= {words for words, _ in entries(page)}
    expect(page.locator(".nav-title")).to_have_text(
        ["Make", "Sell"] if role == "operator" else ["Make", "Sell", "Run"]
    )
    for words, href in entries(page):
        page.locator(f"#areas .nav-entries a[href='{href}']").click()
        expect(page.locator("main .waiting")).to_have_count(0)
        expect(page.locator("main h1").first).not_to_have_text("Page not found")
        expect(page.locator("#areas [aria-current]:visible")).to_have_text([words])


def test_page_of_other_roles_is_not_in_the_menu(visit: Visiting) -> None:
    words = {words for words, _ in entries(visit("operator").open_board())}
    assert not words & (FOR_ADMINS - FOR_ALL)


def test_phone_has_four_places_and_the_rest_behind_one_button(visit: Visiting) -> None:
    page = visit("manager", "phone").open_board("#/jobs")
    assert [words for words, _ in entries(page)] == ["Board", "My work", "Jobs", "Leads"]
    expect(page.locator("#who")).to_be_visible()
    heights = (
        "['.bar', '.nav-quick'].map(part => document.querySelector(part).getBoundingClientRect().height)"
    )
    assert sum(page.evaluate(heights)) < 844 / 5
    more = page.get_by_role("button", name="More")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    assert {words for words, _ in entries(page)} >= FOR_MANAGERS
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(page.get_by_role("link", name="Machines")).to_be_hidden()
    more.click()
    page.get_by_role("link", name="Machines").click()
    expect(page.get_by_role("heading", name="Machines")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "false")


def test_one_signs_out_and_changes_the_colours_from_the_menu_of_a_phone(own_visit: Visiting) -> None:
    page = own_visit("manager", "phone").open_board()
    page.get_by_role("button", name="More").click()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#sign-in-reason")).to_have_text("You have signed out.")
    expect(page.locator("#areas")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 719, 720, 1099, 1100, 3840])
def test_menu_covers_nothing_at_any_width(visit: Visiting, width: int) -> None:
    visitor = visit("admin")
    visitor.page.set_viewport_size({"width": width, "height": 900})
    page = visitor.open_board("#/machines")
    assert overflow(page) <= 0
    expect(page.locator("#who")).to_be_visible()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    edges = "part => (({top, bottom}) => [top, bottom])(document.querySelector(part).getBoundingClientRect())"
    quick, version = page.evaluate(edges, ".nav-quick"), page.evaluate(edges, ".version")
    assert quick == [0, 0] or version[1] <= quick[0] + 1


def test_what_has_the_focus_is_not_behind_the_bar_of_a_phone(visit: Visiting) -> None:
    page = visit("manager", "phone").open_board("#/job-steps")
    button = page.locator(".list-table tbody a").nth(4)
    behind = "button => scrollTo(0, scrollY + button.getBoundingClientRect().bottom - innerHeight + 5)"
    button.evaluate(behind)
    bar = page.locator(".nav-quick").bounding_box()
    box = button.bounding_box()
    assert bar and box and box["y"] + box["height"] > bar["y"]
    button.focus()
    box = button.bounding_box()
    assert box and box["y"] + box["height"] <= bar["y"]


def test_head_of_a_table_stays_in_sight(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    expect(page.locator(".list-table tbody tr")).to_have_count(25)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    top = "part => document.querySelector(part).getBoundingClientRect()"
    bar, head = page.evaluate(top, ".bar"), page.evaluate(top, ".list-table thead th")
    assert bar["top"] == 0
    assert head["top"] == pytest.approx(bar["bottom"], abs=1)


def test_all_filters_are_boxes_of_one_height(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    boxes = "all => all.map(box => [box.offsetHeight, getComputedStyle(box).borderTopWidth])"
    found = page.locator(".filters > *").evaluate_all(boxes)
    assert len(found) >= 10 and len({tuple(one) for one in found}) == 1


def test_an_empty_list_says_what_to_do(visit: Visiting, app: Application) -> None:
    page = visit("manager").open_board("#/jobs?q=nothinghasthisname")
    expect(page.locator(".empty-state")).to_contain_text("There are no jobs like this.")
    page.get_by_role("link", name="Show all jobs").click()
    expect(page.locator(".list-table tbody tr").first).to_be_visible()
    page.route(
        "**/api/machines?*",
        lambda route: route.fulfill(
            json={"items": [], "total": 0, "next_cursor": None, "previous_cursor": None}
        ),
    )
    page.evaluate("location.hash = '#/machines'")
    expect(page.locator(".empty-state")).to_contain_text("There are no machines yet.")
    expect(page.locator(".empty-state").get_by_role("link", name="New machine")).to_be_visible()
