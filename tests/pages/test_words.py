"""The page speaks of filters, orders and mistakes in words of people."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.browser import change_answer
from tests.pages.conftest import Visiting


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("#/job-steps?mine=true&status=pending", "My steps that are waiting"),
        ("#/job-steps?mine=true&status=in_progress,pending", "My steps that are in progress or waiting"),
        ("#/job-steps?mine=true&completed_today=true", "My steps completed today"),
        ("#/job-steps?status=in_progress", "Steps in progress"),
        ("#/jobs?overdue=true&status=on_hold", "Overdue jobs that are on hold"),
        ("#/leads?status=unprocessed,new", "Leads that are unprocessed or new"),
        ("#/notifications?unread=true", "Unread notifications"),
    ],
)
def test_titles_are_sentences(visit: Visiting, address: str, title: str) -> None:
    page = visit("manager").open_board(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_filters_from_a_link_have_names_and_days(visit: Visiting, app: Application) -> None:
    client = app.client("manager")
    things = {
        name: client.get(f"/api/{area}?page_size=1").json["items"][0]  # type: ignore[index]
        for name, area in (("machine", "machines"), ("process", "processes"), ("assigned_user", "users"))
    }
    query = "&".join(f"{name}_id={thing['id']}" for name, thing in things.items())
    page = visit("manager").open_board(f"#/job-steps?{query}&started_from=2026-01-02")
    chosen = page.locator(".chosen")
    expect(chosen.nth(0)).to_contain_text(f"Machine: {things['machine']['name']}")
    expect(chosen.nth(1)).to_contain_text(f"Process: {things['process']['name']}")
    expect(chosen.nth(2)).to_contain_text(f"Person: {things['assigned_user']['full_name']}")
    expect(chosen.nth(3)).to_contain_text("Started from: 2 Jan 2026")
    assert "_id" not in page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=foo", "Status can only be draft, active, on hold, completed or cancelled."),
        ("priority=a,b", "Priority can only be low, normal, high or urgent."),
        ("colour=red", "There is no filter called “colour”."),
        ("due_from=soon", "“Due from” must be a date, written like 2026-03-31."),
        ("due_from=2026-13-01", "“Due from” must be a date, written like 2026-03-31."),
        ("customer_id=-1", "Customer must be 1 or more."),
        ("customer_id=x", "Customer must be a whole number."),
        ("page_size=1000", "The number of rows must be 100 or less."),
        ("sort=colour", "The list cannot be sorted like this."),
        ("overdue=yes", "Overdue can only be true."),
        ("cursor=abc", "This page of the list is no longer there."),
    ],
)
def test_a_wrong_value_is_told_in_words_with_a_way_back(visit: Visiting, query: str, words: str) -> None:
    visitor = visit("manager")
    visitor.expected = ["400"]
    page = visitor.open_board(f"#/jobs?{query}")
    problem = page.locator("main .problem")
    expect(problem).to_have_text(re.compile(f"^{re.escape(words)} Request"))
    page.get_by_role("link", name="Show the whole list").click()
    expect(page.locator("#total")).to_have_text("90 jobs")


def test_orders_are_told_in_one_style(visit: Visiting) -> None:
    page = visit("manager").open_board("#/jobs")
    for address in (
        "#/jobs",
        "#/jobs/at-risk",
        "#/job-steps",
        "#/customers",
        "#/leads",
        "#/journeys/contacts",
    ):
        page.evaluate("address => { location.hash = address }", address)
        expect(page.locator("h1")).not_to_have_text("")
        for option in page.locator("[name=sort] option").all_inner_texts():
            assert re.fullmatch(
                r"[A-Z][a-z ]+, (newest|oldest|earliest|latest) first|[A-Z][a-z ]+, (A to Z|Z to A)", option
            )
    # One that came with a link and is not offered is shown as it is, not as another.
    page.evaluate("location.hash = '#/jobs?sort=-job_number'")
    expect(page.get_by_label("Sort by")).to_have_value("-job_number")
    expect(page.locator("[name=sort] option:checked")).to_have_text("Job number, Z to A")


def test_zero_figures_stand_in_line_with_the_others(visit: Visiting) -> None:
    visitor = visit("manager")
    change_answer(
        visitor.page,
        "/api/dashboard/stats",
        lambda stats: {**stats, "users": {**stats["users"], "admin": 0}},
    )
    page = visitor.open_board()
    left = page.locator(".users .figure").evaluate_all(
        """all => all.map(figure => {
            const text = document.createRange();
            text.selectNodeContents(figure.querySelector(".label"));
            return text.getBoundingClientRect().left - figure.querySelector(".value").getBoundingClientRect().left;
        })"""
    )
    assert len(set(left)) == 1


@pytest.mark.parametrize("look", ["light", "phone"])
def test_the_header_reaches_both_edges(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("#/notifications?unread=true")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollbarGutter") == "auto"
    edges = "(({left, right}) => [left, right - innerWidth])(document.querySelector('.bar').getBoundingClientRect())"
    assert page.evaluate(edges) == [0, 0]
