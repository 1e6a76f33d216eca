"""Records are archived on their page, found among the archived ones, and restored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.features.test_archive import RECORDS, add
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations


@pytest.mark.parametrize("area", ["customers", "machines", "routings", "jobs", "users"])
def test_a_record_is_archived_undone_archived_again_and_restored_from_the_list(
    own_visit: Visiting, own_app: Application, area: str
) -> None:
    path = add(own_app, area)
    found: Any = own_app.client().get(path).json
    name = found.get("name") or found.get("full_name") or found["job_number"]
    page = own_visit("admin").open_board(f"#{path.removeprefix('/api')}")
    page.get_by_role("button", name=f"Archive {name}").click()
    expect(page.locator("#toasts")).to_contain_text(f"Archived {name}.")
    expect(page.locator(".list-head")).to_contain_text("Archived")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name=f"Archive {name}")).to_be_visible()
    page.get_by_role("button", name=f"Archive {name}").click()
    expect(page.get_by_role("button", name=f"Restore {name}")).to_be_visible()
    page.evaluate(f"location.hash = '#/{area}?q={RECORDS[area][2]}'")
    expect(page.get_by_text(re.compile("^There are no "))).to_be_visible()
    page.evaluate(f"location.hash = '#/{area}'")
    page.get_by_label("Archived", exact=True).check()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Archived "))
    page.get_by_role("button", name=f"Restore {name}").click()
    expect(page.locator("#toasts")).to_contain_text(f"Restored {name}.")
    restored: Any = own_app.client().get(path).json
    assert restored["archived_at"] is None
    if area != "users":
        page.evaluate(f"location.hash = '#{path.removeprefix('/api')}'")
        expect(page.get_by_role("region", name="History")).to_contain_text("archived")


def test_an_operator_archives_nothing(own_visit: Visiting, own_app: Application) -> None:
    path = add(own_app, "machines")
    page = own_visit("operator").open_board(f"#{path.removeprefix('/api')}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Quokka press")
    expect(page.get_by_role("button", name=re.compile("^Archive "))).to_have_count(0)


@pytest.mark.parametrize("area", ["machines", "processes", "routings"])
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_of_machines_processes_and_routings_are_accessible(
    own_visit: Visiting, own_app: Application, area: str, look: str
) -> None:
    path = add(own_app, area)
    page = own_visit("admin", look).open_board(f"#{path.removeprefix('/api')}")
    expect(page.get_by_role("region", name="History")).to_contain_text("added")
    assert violations(page) == []
    assert overflow(page) == 0
