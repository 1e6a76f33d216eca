"""The numbers of the shop: figures, rows by day or week, and rejects as a picture, each with its list."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read
from tests.pages.test_looks import overflow, violations


def test_the_numbers_open_the_lists_behind_them(visit: Visiting, app: Application) -> None:
    page = visit("operator").open_board("/#/")
    page.locator("#numbers").get_by_role("link", name="All numbers").click()
    expect(page.get_by_role("heading", name="Numbers of the shop")).to_be_visible()
    found = read(app, "/api/work/numbers")["all"]
    rejects = read(app, "/api/work/rejects")
    scrap = page.locator(".number-figures").get_by_role("link", name="Scrap")
    expect(scrap).to_contain_text("%")
    expect(page.locator(".svg-chart .chart-rect")).to_have_count(len(rejects["reasons"]))
    page.get_by_role("link", name="by week").click()
    expect(page.get_by_role("columnheader", name="Week from")).to_be_visible()
    page.get_by_text("As a table").click()
    page.get_by_role("row", name=rejects["reasons"][0]["name"]).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Work records")).to_be_visible()
    expect(page.locator(".list-table tbody tr")).to_have_count(rejects["reasons"][0]["records"])
    page.go_back()
    page.locator(".number-figures").get_by_role("link", name="Good pieces").click()
    total = read(app, found["links"]["work"])["total"]
    expect(page.locator(".list-table tbody tr")).to_have_count(total)


def test_rejects_are_narrowed_by_process(visit: Visiting, app: Application) -> None:
    page = visit("manager").open_board("/#/numbers?days=28")
    process = next(each for each in read(app, "/api/work/rejects")["processes"] if each["id"])
    page.get_by_role("region", name="Rejects by process").get_by_role("link", name=process["name"]).click()
    expect(page.get_by_role("link", name="Show rejects of all processes and products")).to_be_visible()
    expect(page.get_by_text(f"{process['quantity_rejected']} pieces rejected.")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_the_numbers_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("/#/numbers")
    expect(page.get_by_role("heading", name="Rejects by reason")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
        assert overflow(page) <= 0
