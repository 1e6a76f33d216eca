"""Duplicates are found on the page, compared side by side, merged and separated again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.features.test_merges import add
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read
from tests.pages.test_looks import overflow, violations


def test_two_customers_are_compared_merged_and_separated(own_visit: Visiting, own_app: Application) -> None:
    kept = add(own_app, "customers", name="Reed", email="desk@reed.example")
    merged = add(own_app, "customers", name="Reed Ltd", email="desk@reed.example", address="Pier 4")
    job = add(own_app, "jobs", title="Gear", customer_id=merged)
    page = own_visit("manager").open_board("#/duplicates/customers")
    expect(page.get_by_text("same e-mail address", exact=True)).to_be_visible()
    page.get_by_role("link", name="Compare Reed and Reed Ltd").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge two customers")
    # An empty member takes what the other one has; of two names one is chosen.
    expect(page.get_by_role("group", name="Address").get_by_label("Pier 4")).to_be_checked()
    page.get_by_role("group", name="Name").get_by_label("Reed Ltd").check()
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("#toasts")).to_contain_text("Merged Reed Ltd into Reed.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reed Ltd")
    found = read(own_app, f"/api/customers/{kept}")
    assert (found["name"], found["address"], found["jobs"]["total"]) == ("Reed Ltd", "Pier 4", 1)
    page.get_by_role("button", name="Undo the merge of Reed Ltd").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reed")
    expect(page.get_by_role("link", name="Compare Reed and Reed Ltd")).to_be_visible()
    assert read(own_app, f"/api/jobs/{job}")["customer"]["id"] == merged


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_pages_of_duplicates_are_accessible(own_visit: Visiting, own_app: Application, look: str) -> None:
    one = add(own_app, "leads", name="Kim Reed", phone="0171 555 01 23")
    other = add(own_app, "leads", name="Kim R.", phone="+49 171 5550123")
    page = own_visit("manager", look).open_board(f"#/leads/{one}")
    expect(page.get_by_text("May be the same")).to_be_visible()
    for address, text in (
        ("#/duplicates/leads", "same phone number"),
        (f"#/duplicates/leads/{one}/{other}", "Keep"),
    ):
        page.evaluate(f"location.hash = '{address}'")
        expect(page.get_by_text(text).first).to_be_visible()
        assert violations(page) == []
        assert overflow(page) == 0
