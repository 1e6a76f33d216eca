"""The page shows which jobs may end late, and how far to believe that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect

from tests.application import Application
from tests.pages.browser import change_answer
from tests.pages.conftest import Visiting
from tests.waiting import eventually


def calibration(client: FlaskClient) -> dict[str, Any]:
    found = client.get("/api/jobs/risk-calibration").json
    assert found is not None
    return dict(found)


@pytest.fixture
def due_in_the_past(app: Application) -> Iterator[None]:
    """Finished jobs were due nine days earlier: enough of them teach."""
    move = "UPDATE jobs SET due_date = due_date + %s WHERE tenant_id = %s AND status = 'completed'"

    def move_due_dates(days: int, reason: str | None) -> None:
        with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
            connection.cursor().execute(move, (days, app.alpha.id))
        client = app.client("manager")
        eventually("the calibration", lambda: calibration(client)["reason"] == reason)

    move_due_dates(-9, None)
    yield
    move_due_dates(9, "not_enough_history")


def percent(share: float) -> str:
    """As a browser rounds it: a half goes up."""
    return f"{int(share * 100 + 0.5)}%"


def late(app: Application) -> dict[str, Any]:
    found = app.client("operator").get("/api/jobs/late").json
    assert found is not None
    return dict(found)


def test_the_board_lists_the_highest_risks_and_leads_to_all(visit: Visiting, app: Application) -> None:
    page = visit("operator").open_board()
    shown = late(app)["at_risk"]
    assert len(shown) > 3
    assert page.locator("#risk .lines .job-number").all_inner_texts() == [
        item["job_number"] for item in shown
    ]
    assert page.locator("#risk .risk-bar").all_inner_texts() == [percent(item["risk"]) for item in shown]
    values = page.locator("#risk progress").evaluate_all("all => all.map(bar => bar.value)")
    assert values == [item["risk"] for item in shown]
    found = app.client("operator").get("/api/jobs/at-risk").json
    assert found is not None
    page.locator("#risk .more").click()
    expect(page.get_by_role("heading", name="Jobs that may end late")).to_be_visible()
    expect(page.locator("#total")).to_have_text(re.compile(rf"^{found['total']} jobs?$"))
    expect(page.locator(".list-table tbody tr")).to_have_count(min(25, found["total"]))
    page.locator(".list-table .named").first.click()
    expect(page.locator(".facts .risk-bar")).to_have_text(percent(found["items"][0]["risk"]))


def test_late_and_stuck_jobs_are_shown_with_their_causes(visit: Visiting, app: Application) -> None:
    found = late(app)
    page = visit("operator").open_board()
    for panel, kind in (("overdue", "overdue"), ("risk", "at_risk"), ("idle", "stuck")):
        numbers = page.locator(f"#{panel} .lines .job-number").all_inner_texts()
        assert numbers == [job["job_number"] for job in found[kind]]
        # The cause is a line of its own, below the job.
        widths = page.locator(f"#{panel} .lines .line-main").evaluate_all(
            "all => all.map(a => a.clientWidth)"
        )
        assert all(width > 80 for width in widths), widths
        for job in found[kind]:
            line = page.locator(f"#{panel} li[data-row='{job['id']}']")
            if job["delay"]:
                name = job["delay"]["longest"]["process"]["name"]
                expect(line).to_contain_text(re.compile(rf"(the queue before|waits for) {name}"))
            if job["waits_at"]:
                for part in ("process", "machine", "person"):
                    expect(line).to_contain_text((job["waits_at"][part] or {"name": ""})["name"])
    assert any(job["waits_at"] for job in found["overdue"])
    (job, *_) = [job for job in found["overdue"] if job["waits_at"]]
    page.goto(f"{page.url.split('#')[0]}#/jobs/{job['id']}")
    expect(page.locator(".facts")).to_contain_text(f"{job['days_late']} day")
    expect(page.locator(".facts")).to_contain_text("Now at")


def test_the_picture_has_a_dot_for_each_bin_at_its_place(
    visit: Visiting, app: Application, due_in_the_past: None
) -> None:
    page = visit("manager").open_board()
    found = calibration(app.client("manager"))
    assert found["reason"] is None
    dots = page.locator("#calibration circle").evaluate_all(
        "all => all.map(dot => [dot.cx.baseVal.value, dot.cy.baseVal.value])"
    )
    expected = [(100 * one["predicted"], 100 - 100 * one["observed"]) for one in found["bins"]]
    assert len(dots) == len(expected)
    for dot, place in zip(dots, expected, strict=True):
        assert dot == pytest.approx(place, abs=0.01)  # the browser keeps them as single precision numbers
    words = "Better than always" if found["is_better"] else "No better than always"
    expect(page.locator("#calibration .verdict")).to_contain_text(
        f"{words} saying {percent(found['base_rate'])}"
    )
    page.locator("#calibration summary").click()
    expect(page.locator("#calibration tbody tr")).to_have_count(len(found["bins"]))


def test_a_guess_that_is_no_better_is_called_so_and_one_without_history_is_none(
    visit: Visiting, due_in_the_past: None
) -> None:
    visitor = visit("manager")
    answer: dict[str, object] = {"is_better": False}
    change_answer(visitor.page, "/api/jobs/risk-calibration", lambda found: {**found, **answer})
    page = visitor.open_board()
    expect(page.locator("#calibration .verdict")).to_contain_text("do not rely on it")
    answer |= {"reason": "not_enough_history", "learned_from": 9, "scored": 3, "needed": 40, "bins": []}
    page.reload()
    expect(page.locator("#calibration")).to_contain_text("Not known yet: 12 of 40 finished jobs")
    expect(page.locator("#calibration svg")).to_have_count(0)


def test_a_risk_that_nobody_knows_is_not_drawn_as_none(visit: Visiting) -> None:
    visitor = visit("manager")

    def without(found: dict[str, Any]) -> dict[str, Any]:
        return {**found, "at_risk": [{**job, "risk": None} for job in found["at_risk"]]}

    change_answer(visitor.page, "/api/jobs/late?", without)
    page = visitor.open_board()
    expect(page.locator("#risk .line-side").first).to_contain_text("Not known")
    expect(page.locator("#risk progress")).to_have_count(0)
