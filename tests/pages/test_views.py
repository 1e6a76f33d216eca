"""Saved views, clickable heads and columns of lists."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations


def test_a_view_is_saved_chosen_shown_by_default_and_removed_with_undo(own_visit: Visiting) -> None:
    page = own_visit("operator").open_board("#/jobs?status=on_hold&hide=Customer")
    expect(page.get_by_role("columnheader", name="Status")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Customer")).to_have_count(0)
    page.get_by_role("button", name="Save view").click()
    page.get_by_label("Name", exact=True).fill("Waiting ones")
    page.get_by_label("Show it when I open this list").check()
    expect(page.get_by_label("Show it to everybody")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Saved the view Waiting ones.")
    page.get_by_role("link", name="Steps", exact=True).click()
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page).to_have_url(re.compile("status=on_hold&hide=Customer$"))
    expect(page.locator("#total")).to_have_text("8 jobs")
    page.get_by_label("View", exact=True).select_option("All")
    expect(page.locator("#total")).to_have_text("90 jobs")
    page.get_by_label("View", exact=True).select_option("Waiting ones")
    page.get_by_role("button", name="Remove view").click()
    expect(page.locator("#toasts")).to_contain_text("Removed the view Waiting ones.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Waiting ones is back.")
    expect(page.get_by_label("View", exact=True)).to_contain_text("Waiting ones")


def test_a_head_sorts_and_turns_the_order_round(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    page.get_by_role("columnheader", name="Job").get_by_role("link").click()
    expect(page.locator(".list-table .job-number").first).to_have_text("CANARYALPHA-0001")
    expect(page.get_by_role("columnheader", name="Job")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("columnheader", name="Job").get_by_role("link").click()
    expect(page.locator(".list-table .job-number").first).to_have_text("CANARYALPHA-0090")
    assert page.url.endswith("sort=-job_number")


@pytest.mark.parametrize("look", LOOKS)
def test_views_and_columns_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("#/jobs")
    page.get_by_text("Columns", exact=True).click()
    expect(page.get_by_label("Priority").last).to_be_visible()
    assert (violations(page), overflow(page) <= 0) == ([], True)
