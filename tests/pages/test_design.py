"""The page of the parts that pages are made of: all there, readable in all colours, at all widths."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from opsboard.features.pages.assets import STATIC
from tests.pages.conftest import Visiting
from tests.pages.test_looks import overflow, violations

TOKENS = re.compile(r"^\s*(--[\w-]+):", re.MULTILINE)


@pytest.mark.parametrize("look", ["light", "dark", "phone", "forced colours"])
def test_parts_have_no_barriers(visit: Visiting, look: str) -> None:
    visitor = visit(None, look if look != "forced colours" else "light")
    if look == "forced colours":
        visitor.page.emulate_media(forced_colors="active")
    page = visitor.open("/design")
    expect(page.locator("#parts section")).to_have_count(page.locator("#parts h2").count())
    assert page.locator("#parts section").count() >= 12
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("width", [320, 1100, 3840])
def test_parts_fit_every_width(visit: Visiting, width: int) -> None:
    visitor = visit(None)
    visitor.page.set_viewport_size({"width": width, "height": 900})
    page = visitor.open("/design")
    expect(page.locator(".swatch").first).to_be_visible()
    assert overflow(page) <= 0


def test_every_colour_is_shown_and_has_a_dark_one(visit: Visiting) -> None:
    light = set(TOKENS.findall((STATIC / "light.css").read_text()))
    assert light == set(TOKENS.findall((STATIC / "dark.css").read_text()))
    page = visit(None).open("/design")
    shown = page.get_by_role("region", name="Colours").locator("code").all_inner_texts()
    assert set(shown) == light - {"--shadow"}


def test_a_token_that_is_used_is_defined() -> None:
    """Also those that the scripts set: a misspelt one would fall back without a word."""
    styles = "\n".join(file.read_text() for file in STATIC.glob("*.css"))
    scripts = "\n".join(file.read_text() for file in STATIC.glob("*.js"))
    defined = set(re.findall(r"(--[\w-]+)\s*:", styles)) | set(
        re.findall(r'setProperty\(\s*"(--[\w-]+)"', scripts)
    )
    assert set(re.findall(r"var\((--[\w-]+)", styles)) <= defined


def test_charts_are_drawn_to_scale_and_tell_the_same_as_a_table(visit: Visiting) -> None:
    page = visit(None).open("/design")
    charts = page.get_by_role("region", name="Charts")
    heights = "all => all.map(bar => Number(bar.getAttribute('height')))"
    bars, pareto, lines = (charts.locator(".svg-chart").nth(index) for index in range(3))
    values = [31, 44, 28, 52, 47, 60]
    found = bars.locator(".chart-rect").evaluate_all(heights)
    assert [height / found[5] for height in found] == pytest.approx(
        [value / 60 for value in values], abs=0.01
    )
    bars.locator("summary").click()
    expect(bars.locator("tbody td")).to_have_text([str(value) for value in values])
    # The largest first, each with what all up to it have together.
    falling = pareto.locator(".chart-rect").evaluate_all(heights)
    assert falling == sorted(falling, reverse=True)
    pareto.locator("summary").click()
    expect(pareto.locator("tbody tr")).to_have_text(["Size3158%", "Scratch1281%", "Weld794%", "Other3100%"])
    # A month without a value is a gap, not a zero.
    assert lines.locator("path.is-series-1").get_attribute("d").count("M") == 2  # type: ignore[union-attr]
    assert lines.locator("path.is-series-2").get_attribute("d").count("M") == 1  # type: ignore[union-attr]
    expect(bars.get_by_role("img")).to_have_accessible_name(
        "Jobs by month: Jan 31, Feb 44, Mar 28, Apr 52, May 47, Jun 60"
    )
