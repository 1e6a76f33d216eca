"""Paper: lists as tables without anything to press, charts within their columns."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Visiting
from tests.pages.test_risk import due_in_the_past  # noqa: F401

A4 = {"width": 703, "height": 1032}  # CSS pixels within margins of 12 mm


def on_paper(page: Page) -> None:
    page.set_viewport_size(A4)  # type: ignore[arg-type]
    page.emulate_media(media="print")


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        ("#/jobs", ["Job", "Customer", "Status", "Priority", "Due", "Progress"]),
        ("#/machines", ["Machine", "Location", "Status", "Stopped", "On it", "Waiting"]),
        ("#/job-steps?status=in_progress", ["Job", "Step", "Machine", "Person", "Status", "Since"]),
        ("#/notifications", ["Notification", "When"]),
        # Nobody has decided what waits, and nothing scheduled has begun.
        ("#/workflow-approvals?status=pending", ["Request", "Status", "Asked by", "Asked"]),
    ],
)
def test_a_list_is_a_table_without_controls_or_empty_columns(
    visit: Visiting, view: str, columns: list[str]
) -> None:
    page = visit("manager").open_board(view)
    rows = page.locator(".list-table tbody tr")
    expect(rows.first).to_be_visible()
    on_paper(page)
    assert rows.first.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert page.locator(".list-table thead th:visible").all_inner_texts() == columns
    assert page.locator("select:visible, button:visible, input:visible").count() == 0
    # More than the six of a page of cards.
    heights = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    assert sum(heights[:10]) / len(heights[:10]) < A4["height"] / 12
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_job_is_printed_without_controls(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs?q=canaryalpha-0008")
    page.locator(".list-table .named").last.click()
    expect(page.get_by_role("heading", name="Steps", exact=True)).to_be_visible()
    on_paper(page)
    assert page.locator("select:visible, button:visible, summary:visible").count() == 0
    expect(page.get_by_text("Set to")).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Move on")).to_be_hidden()


@pytest.mark.usefixtures("due_in_the_past")
def test_charts_stay_within_their_cards(visit: Visiting) -> None:
    page = visit("manager").open_board()
    pictures = page.locator(".chart, svg.calibration-picture")
    expect(pictures).to_have_count(3)
    on_paper(page)
    beyond = pictures.evaluate_all(
        """all => all.map(picture => picture.getBoundingClientRect().right
            - picture.closest(".card").getBoundingClientRect().right)"""
    )
    assert len(beyond) == 3 and max(beyond) <= 0
    assert page.locator("select:visible, button:visible").count() == 0
