"""The pages of tables say what the code says."""

from __future__ import annotations

import pytest

from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.target import Target
from opsboard.imports.targets import TARGETS
from tests.imports.tables_page import page, pages, smallest_mapping
from tests.reference import ROOT


@pytest.mark.parametrize("name", pages())
def test_a_page_is_made_of_the_code(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run python -m tests.imports.tables_page docs"


def test_there_is_a_page_for_each_table_and_no_other() -> None:
    assert {path.stem for path in (ROOT / "docs" / "import-tables").iterdir()} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_every_column_is_on_its_page_with_its_words(target: Target) -> None:
    for column in target.columns:
        assert f"| {column.name} |" in page(target) or f"| **{column.name}** |" in page(target)
        assert all(f"`{word}`" in page(target) for word in column.one_of)


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_the_mapping_on_a_page_is_accepted(target: Target) -> None:
    assert set(parse_mapping(smallest_mapping(target)).tables) == {target.table}


def test_import_md_leads_there() -> None:
    written = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    assert "(import-tables.md)" in written
    assert "(import-cookbook.md)" in written
