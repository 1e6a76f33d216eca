"""Own fields of a record stand beside what every record has; texts stay texts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.application import Application
from tests.features.test_exports import as_superuser
from tests.pages.conftest import Visiting

OWN = """
UPDATE {table} SET own_fields = jsonb_build_object('Colour', 'red', %(long)s, %(text)s)
WHERE tenant_id = %(tenant)s AND id = 1
"""
TEXT = '<b>"4" x 2</b>'


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_they_are_facts_of_a_job_and_below_the_form_of_a_customer(
    own_visit: Visiting, own_app: Application, look: str, width: int
) -> None:
    for table in ("jobs", "customers"):
        with as_superuser(own_app) as cursor:
            cursor.execute(
                OWN.format(table=table), {"long": "W" * 90, "text": TEXT, "tenant": own_app.alpha.id}
            )
    page = own_visit("manager", look).open_board("#/jobs/1")
    page.set_viewport_size({"width": width, "height": 900})
    for place in ("#/jobs/1", "#/customers/1/edit"):
        page.evaluate("place => { location.hash = place }", place)
        facts = page.locator("dl.facts div").filter(has_text="Colour")
        expect(facts.locator("dd")).to_have_text("red")
        expect(page.locator("dl.facts dd").filter(has_text="x 2")).to_have_text(TEXT)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("heading", name="Own fields")).to_be_visible()
    page.evaluate("location.hash = '#/customers/2/edit'")
    expect(page.get_by_label("Name (required)")).to_be_visible()
    expect(page.get_by_role("heading", name="Own fields")).to_have_count(0)
