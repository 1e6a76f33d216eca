"""Import in the browser: files, what each column is, every fault at its cell, and the mapping for the next time."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from opsboard.imports.mapping_file import load_mapping
from tests.application import Application
from tests.features.test_imports import workbook
from tests.pages.conftest import Visiting
from tests.pages.test_forms import read
from tests.pages.test_looks import overflow, violations

FAULTY = """Client No,Company,E-Mail,Town
K1,Fox,fox@example.com,Ayr
K2,Mill,no address,Bonn
K3,,hill@example.com,Cork
"""
PATIENCE = 60_000  # ms; a process is started for each step


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Drop CSV files").set_input_files(list(files))
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_visible(timeout=PATIENCE)


def ended(page: Page, heading: str) -> None:
    expect(page.locator(".import-result h2")).to_have_text(heading, timeout=PATIENCE)


def test_a_file_is_mapped_checked_mended_and_imported(
    own_visit: Visiting, own_app: Application, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(FAULTY)
    page = own_visit("admin").open_board("#/settings")
    page.get_by_role("link", name="Import records").click()
    choose(page, file)
    expect(page.get_by_label("Its rows become")).to_have_value("customers")
    expect(page.get_by_label("A row is known again by")).to_have_value("Client No")
    expect(page.get_by_label("Company becomes")).to_have_value("columns.name")
    # What the guess left out because a value does not fit, and a name without the words it would put for an empty one.
    for column, slot in (("E-Mail", "email"), ("Company", ""), ("Company", "name"), ("Town", "address")):
        page.get_by_label(f"{column} becomes").select_option(f"columns.{slot}" if slot else "")
    page.get_by_role("button", name="Check without storing").click()
    ended(page, "Some values do not fit; nothing was stored")
    cell = page.locator(".first-rows td.is-fault")
    expect(cell).to_have_count(2)
    expect(cell.nth(0)).to_contain_text("no address")
    expect(page.locator(".import-faults li")).to_have_count(2)
    expect(page.locator(".import-faults li").nth(0)).to_contain_text(
        "customers.csv, line 3, E-Mail: “no address”"
    )
    assert violations(page) == []

    # The files are sent anew each time: mended on the disk and chosen again.
    mended = tmp_path / "mended" / "customers.csv"
    mended.parent.mkdir()
    mended.write_text(FAULTY.replace("no address", "mill@example.com").replace("K3,,", "K3,Hill,"))
    choose(page, mended)
    page.get_by_label("E-Mail becomes").select_option("")
    page.get_by_label("Town becomes").select_option("columns.address")
    page.get_by_role("button", name="Import", exact=True).click()
    ended(page, "Everything is imported")
    expect(page.locator(".import-counts tbody tr")).to_have_text("Customers300")
    found = {item["name"]: item for item in read(own_app, "/api/customers?page_size=100")["items"]}
    assert {name: (found[name]["address"], found[name]["email"]) for name in ("Fox", "Mill", "Hill")} == {
        "Fox": ("Ayr", None), "Mill": ("Bonn", None), "Hill": ("Cork", None),
    }  # fmt: skip
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this mapping").click()
    mapping = load_mapping(download.value.path())
    assert {name: value.value for name, value in mapping.tables["customers"].columns.items()} == {
        "name": "{Company}",
        "address": "{Town}",
    }
    page.get_by_role("link", name="Customers").last.click()
    expect(page.locator("#total")).to_have_text("15 customers")


def test_a_file_like_nothing_gets_its_table_key_and_columns_by_hand(
    own_visit: Visiting, own_app: Application, tmp_path: Path
) -> None:
    (tmp_path / "list.xlsx").write_bytes(workbook([["A1", "B1"], ["x", "Lathe 7"], ["y", "Saw 3"]]))
    page = own_visit("admin").open_board("#/import")
    choose(page, tmp_path / "list.xlsx")
    table = page.get_by_label("Its rows become")
    table.select_option("")
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_attribute("aria-disabled", "true")
    table.focus()
    table.select_option("machines")
    expect(page.get_by_text("Still needed: name.")).to_be_visible()
    expect(table).to_be_focused()
    page.get_by_label("B1 becomes").select_option("columns.name")
    expect(page.get_by_text("Still needed")).to_have_count(0)
    page.get_by_label("A row is known again by").select_option("B1")
    page.get_by_role("button", name="Import", exact=True).click()
    ended(page, "Everything is imported")
    assert read(own_app, "/api/machines?q=Lathe 7")["total"] == 1


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_import_has_no_barriers(visit: Visiting, look: str, tmp_path: Path) -> None:
    jobs = "Job,Title,Customer,Due,Notes\n" + "".join(
        f"J-{number},{'Bracket ' * number},C{number % 3},2026-12-{number:02},{'long' * 30}\n"
        for number in range(1, 25)
    )
    (tmp_path / "jobs.csv").write_text(jobs)
    page = visit("admin", look).open_board("#/import")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    assert violations(page) == []
    choose(page, tmp_path / "jobs.csv")
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("role", ["manager", "operator"])
def test_others_have_no_import(visit: Visiting, role: str) -> None:
    visitor = visit(role)
    page = visitor.open_board()
    assert page.locator("a[href='#/import']").count() == 0
    page.evaluate("location.hash = '#/import'")
    expect(page.get_by_text("Only admins import records.")).to_be_visible()
    expect(page.locator("main input, main button")).to_have_count(0)
