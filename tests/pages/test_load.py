"""The page of the load: what is overloaded is seen, and a step is given to another machine."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.features.test_load import EMPTY, add_job, machines, read
from tests.features.test_work import run
from tests.pages.browser import LOOKS
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations


@pytest.mark.parametrize("look", LOOKS)
def test_the_load_and_a_queue_have_no_barriers(visit: Visiting, look: str) -> None:
    page = visit("manager", look).open_board("#/load")
    for heading in ("Load", re.compile("^Queue of")):
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert violations(page) == []
        assert overflow(page) <= 0
        if look == "phone":
            page.set_viewport_size({"width": 320, "height": 640})
            assert overflow(page) <= 0
        if heading == "Load":
            page.get_by_role("region", name="Load of machines").get_by_role("link").first.click()
    page.get_by_role("link", name="As a list, with its export").click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()


def test_a_step_of_the_longest_queue_is_given_to_another_machine(
    own_visit: Visiting, own_app: Application
) -> None:
    run(own_app, EMPTY)
    full, free = machines(own_app)[:2]
    for weekday in range(1, 8):
        shift = {"weekday": weekday, "starts_at": "08:00", "ends_at": "09:00"}
        assert own_app.client().post("/api/working-hours", json=shift).status_code == 201
    job = add_job(own_app, [{"machine_id": full, "setup_minutes": 600}], due_date=read(own_app)["today"])
    names = {row["id"]: row["name"] for row in read(own_app)["machines"]}
    page = own_visit("manager").open_board("#/load")
    first = page.get_by_role("region", name="Load of machines").locator("tbody tr").first
    expect(first).to_contain_text(names[full])
    expect(first.locator(".late")).to_contain_text("10 h of")
    first.get_by_role("link", name=names[full]).click()
    row = page.get_by_role("row").filter(has_text=job["job_number"])
    expect(row).to_contain_text("10 h")
    row.get_by_role("link", name=re.compile("^Assign")).click()
    page.get_by_label("Machine").fill(names[free])
    page.get_by_role("option", name=names[free]).first.click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    page.goto(page.url.partition("#")[0] + "#/load")
    expect(first).to_contain_text(names[free])
