"""The board begins with what a role acts on, and each person arranges their own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Visiting
from tests.pages.test_looks import violations

ORDER = """[...document.querySelectorAll(".board > section")].filter(one => one.checkVisibility())
    .map(one => one.classList[1])"""


def order(page: Page) -> list[str]:
    found: list[str] = page.evaluate(ORDER)
    return found


@pytest.mark.parametrize(
    ("role", "first", "button"),
    [
        ("operator", ["mine", "tasks", "decisions", "floor"], "Open my work"),
        ("manager", ["jobs", "overdue", "risk", "decisions"], "New job"),
        ("admin", ["jobs", "overdue", "risk", "decisions"], "New job"),
    ],
)
def test_the_first_screen_holds_what_the_role_acts_on(
    visit: Visiting, role: str, first: list[str], button: str
) -> None:
    page = visit(role).open_board()
    expect(page.locator("#floor li")).to_have_count(11)
    assert order(page)[:4] == first
    tops = (
        "names => names.map(name => document.querySelector(`.board > .${name}`).getBoundingClientRect().top)"
    )
    assert max(page.evaluate(tops, first[:3])) < 450
    # One main button on the page.
    expect(page.locator(".main-button:visible")).to_have_text([button])


def test_a_person_arranges_their_board_by_keyboard_and_the_server_keeps_it(own_visit: Visiting) -> None:
    page = own_visit("manager").open_board()
    before = order(page)
    page.get_by_role("button", name="Arrange this board").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    up = dialog.get_by_role("button", name="Move Overdue up")
    up.focus()
    page.keyboard.press("Enter")
    expect(up).to_be_focused()
    dialog.get_by_role("checkbox", name="Jobs by status").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#announcer")).to_contain_text("Your board is arranged.")
    wanted = [before[1], before[0], *[name for name in before[2:] if name != "status"]]
    expect(page.locator(".board > .status")).to_be_hidden()
    expect(page.locator(".board > section").first).to_have_id("overdue")
    assert order(page) == wanted
    # Another browser of the same person has it too; nobody else has.
    again = own_visit("manager").open_board()
    expect(again.locator(".board > section").first).to_have_id("overdue")
    assert order(again) == wanted
    other = own_visit("admin").open_board()
    expect(other.locator("#floor li")).to_have_count(11)
    assert order(other)[:2] == ["jobs", "overdue"]
    page.get_by_role("button", name="Arrange this board").click()
    page.get_by_role("dialog").get_by_role("button", name="Order of the role").click()
    expect(page.locator("#announcer")).to_contain_text("has the order of your role")
    expect(page.locator(".board > .status")).to_be_visible()
    assert order(page) == before


def test_near_days_and_times_are_said_as_people_say_them(visit: Visiting) -> None:
    visitor = visit(None)
    visitor.page.clock.install(time="2026-03-01T12:00:00Z")
    found = visitor.open().evaluate(
        """async () => {
            const { nearDay, nearTime, setTimeZone, setToday } = await import("/static/format.js");
            setTimeZone("Europe/Berlin");
            const days = [
                "2026-03-01", "2026-03-02", "2026-03-04", "2026-02-28", "2026-02-25", "2026-03-20",
            ].map(nearDay);
            const times = [
                "2026-03-01T06:59:00Z", "2026-02-28T23:30:00Z", "2026-02-28T20:00:00Z", "2026-02-20T20:00:00Z",
            ].map(nearTime);
            setToday("2014-05-31");
            return [days, times, nearDay("2014-06-01")];
        }"""
    )
    assert found == [
        ["today", "tomorrow", "in 3 days", "yesterday", "4 days ago", "20 Mar 2026"],
        ["today 07:59", "today 00:30", "yesterday 21:00", "20 Feb 2026, 21:00"],
        "tomorrow",
    ]
