"""The board shows the API's numbers, each with the list behind it."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.browser import change_answer
from tests.pages.conftest import Visiting


def shown_counts(page: Page) -> dict[str, int]:
    """Return the text of each visible figure of the board."""
    figures = page.locator("[data-count]:visible")
    number = "Number(f.querySelector('.value').textContent.replace(/\\D/g, ''))"
    return dict(figures.evaluate_all(f"figures => figures.map(f => [f.dataset.count, {number}])"))


def counts_of(stats: dict[str, Any]) -> dict[str, int]:
    groups = {name: counts for name, counts in stats.items() if isinstance(counts, dict)}
    return {
        f"{group}.{name}": count
        for group, counts in groups.items()
        for name, count in counts.items()
        if isinstance(count, int)
    }


@pytest.mark.parametrize("role", ["admin", "manager", "operator"])
def test_every_number_is_the_one_of_the_api(visit: Visiting, app: Application, role: str) -> None:
    page = visit(role).open_board()
    stats = counts_of(app.client(role).get("/api/dashboard/stats").json)  # type: ignore[arg-type]
    told = shown_counts(page)
    assert told == stats


def test_operator_does_not_see_users(visit: Visiting) -> None:
    page = visit("operator").open_board()
    expect(page.get_by_role("heading", name="Users")).to_have_count(0)
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    expect(page.get_by_role("heading", name="Machines", exact=True)).to_be_visible()


def test_every_number_opens_a_list_with_as_many_items(visit: Visiting) -> None:
    page = visit("manager").open_board()
    links = page.locator("[data-count]").evaluate_all(
        "all => all.map(f => [f.dataset.count, f.getAttribute('href')])"
    )
    told = shown_counts(page)
    assert len(links) == len(told) >= 20
    totals = {}
    for count, href in links:
        page.evaluate("href => { location.hash = href }", href)
        expect(page.locator("#total")).to_have_text(re.compile("[0-9]"))
        totals[count] = page.locator("#total").evaluate(
            "total => Number(total.textContent.replace(/\\D/g, ''))"
        )
        rows = page.locator(".list-table tbody tr")
        expect(rows).to_have_count(min(25, totals[count]))
    assert totals == told


def test_the_lists_of_sales_are_those_of_the_api(visit: Visiting, app: Application) -> None:
    page = visit("operator").open_board()
    client = app.client("operator")
    for section, path, name in (
        ("queue", "leads?status=unprocessed&page_size=5", lambda item: item["name"]),
        ("decisions", "workflow-approvals/pending?page_size=5", lambda item: item["subject"]),
        ("sending", "campaigns/active?page_size=5", lambda item: item["name"]),
        ("stuck", "journeys/contacts?status=failed&page_size=5", lambda item: item["customer"]["name"]),
    ):
        answer = client.get(f"/api/{path}").json
        assert answer is not None
        names = page.locator(f"#{section} .lines .job-number").all_inner_texts()
        assert names == [name(item) for item in answer["items"]], section
        if answer["total"]:
            expect(page.locator(f"#{section} .more")).to_have_text(f"All {answer['total']}")
    expect(page.locator("#stuck")).to_contain_text("Nobody has failed in a journey.")
    expect(page.locator("#oldest-approval")).to_contain_text("Oldest since")


def test_a_contact_that_fails_in_a_journey_comes_into_sight(
    own_visit: Visiting, own_app: Application
) -> None:
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        connection.cursor().execute(
            "UPDATE journey_contacts SET status = 'failed', failure = 'rounds', finished_at = now() "
            "WHERE tenant_id = %s AND id = (SELECT min(id) FROM journey_contacts WHERE tenant_id = %s)",
            (own_app.alpha.id, own_app.alpha.id),
        )
    page = own_visit("operator").open_board()
    expect(page.locator("[data-count='journeys.failed'] .value")).to_have_text("1")
    expect(page.locator("#stuck li")).to_contain_text(["came round too often"])
    page.locator("[data-count='journeys.failed']").click()
    expect(page.get_by_role("heading", name="Failed contacts in journeys")).to_be_visible()
    expect(page.locator(".list-table tbody tr")).to_contain_text(["canaryalpha journey 1"])


def test_an_area_the_api_does_not_tell_of_is_not_shown(visit: Visiting) -> None:
    visitor = visit("operator")

    def without_leads(stats: dict[str, Any]) -> dict[str, Any]:
        return {name: counts for name, counts in stats.items() if name != "leads"}

    change_answer(visitor.page, "/api/dashboard/stats", without_leads)
    page = visitor.open_board()
    expect(page.locator("[data-count='campaigns.total']")).to_be_visible()
    expect(page.locator(".card.leads")).to_be_hidden()
    expect(page.locator("#queue")).to_be_hidden()
    assert not [found.url for found in visitor.requests if "/api/leads" in found.url]


def test_a_number_is_followed_by_click_and_back_returns(visit: Visiting) -> None:
    page = visit().open_board()
    page.locator("[data-count='jobs.overdue']").click()
    expect(page.get_by_role("heading", name="Overdue jobs")).to_be_visible()
    assert page.url.endswith("#/jobs?overdue=true&sort=due_date")
    page.go_back()
    expect(page.locator("[data-count='jobs.overdue'] .value")).to_be_visible()


def test_charts_are_drawn_with_the_numbers_of_the_api(visit: Visiting, app: Application) -> None:
    page = visit().open_board()
    client = app.client("admin")
    statuses = client.get("/api/dashboard/chart/jobs-by-status").json["items"]  # type: ignore[index]
    months = client.get("/api/dashboard/chart/jobs-by-month").json["items"]  # type: ignore[index]
    expect(page.locator("#status-chart .status-count")).to_have_text(
        [str(item["count"]) for item in statuses]
    )
    widths = page.locator("#status-chart .chart-bar").evaluate_all("all => all.map(bar => bar.offsetWidth)")
    largest = max(item["count"] for item in statuses)
    for width, item in zip(widths, statuses, strict=True):
        assert width == pytest.approx(max(widths) * item["count"] / largest, abs=3)
    ticks = page.locator("#month-chart .tick").all_inner_texts()
    assert int(ticks[-1]) >= max(max(item["created"], item["completed"]) for item in months) > int(ticks[-2])
    room = page.locator(".months").evaluate("months => months.clientHeight")
    for kind in ("created", "completed"):
        bars = page.locator(f"#month-chart .chart-bar.is-{kind}")
        heights = bars.evaluate_all("all => all.map(bar => bar.offsetHeight)")
        expected = [item[kind] * room / int(ticks[-1]) for item in months]
        assert heights == pytest.approx(expected, abs=3)


def test_charts_tell_the_same_as_a_table(visit: Visiting, app: Application) -> None:
    page = visit().open_board()
    page.locator(".status summary").click()
    rows = page.locator("#status-table tbody tr").all_inner_texts()
    statuses = app.client("admin").get("/api/dashboard/chart/jobs-by-status").json["items"]  # type: ignore[index]
    assert [row.split()[-1] for row in rows] == [str(item["count"]) for item in statuses]
    page.locator("#status-table a", has_text="24").click()
    expect(page.get_by_role("heading", name="Active jobs")).to_be_visible()


def test_a_bar_of_a_chart_opens_its_list(visit: Visiting) -> None:
    page = visit().open_board()
    page.locator("#status-chart .is-completed .chart-bar").click()
    expect(page.get_by_role("heading", name="Completed jobs")).to_be_visible()


@pytest.mark.parametrize(
    ("largest", "scale"), [(0, [1, 1]), (3, [1, 3]), (7, [2, 8]), (24, [10, 30]), (1234, [500, 1500])]
)
def test_a_scale_has_few_round_steps(visit: Visiting, largest: int, scale: list[int]) -> None:
    page = visit().open_board()
    module = (
        page.locator("script[type=module]").get_attribute("src").replace("app.bundle.js", "svg-charts.js")
    )  # type: ignore[union-attr]
    found = page.evaluate(
        "async ([module, largest]) => (await import(module)).scaleOf(largest)", [module, largest]
    )
    assert [found["step"], found["top"]] == scale


def test_my_step_is_started_and_completed_by_its_button(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("operator").open_board()
    before = shown_counts(page)
    page.locator("#mine button", has_text="Complete").first.click()
    page.get_by_role("dialog").get_by_label("Good pieces").fill("5")
    page.get_by_role("dialog").get_by_role("button", name="Complete").click()
    expect(page.locator("#announcer")).to_contain_text("Completed ")
    value = page.locator("[data-count='tasks.in_progress'] .value")
    expect(value).to_have_text(str(before["tasks.in_progress"] - 1))
    stats = counts_of(own_app.client("operator").get("/api/dashboard/stats").json)  # type: ignore[arg-type]
    assert stats["tasks.in_progress"] == before["tasks.in_progress"] - 1
    page.locator("#mine button", has_text="Start").first.click()
    expect(page.locator("#announcer")).to_contain_text("Started ")
