"""The page of tables says what the code says."""

from __future__ import annotations

from opsboard.imports.targets import TARGETS
from tests.imports.tables_page import page
from tests.reference import ROOT


def test_the_page_is_made_of_the_code() -> None:
    written = (ROOT / "docs" / "import-tables.md").read_text(encoding="utf-8")
    assert written == page(), "run python -m tests.imports.tables_page docs/import-tables.md"


def test_every_table_and_column_is_on_it() -> None:
    for target in TARGETS.values():
        section = page().partition(f"\n## {target.table}\n")[2].partition("\n## ")[0]
        for column in target.columns:
            assert f"| {column.name} |" in section or f"| **{column.name}** |" in section
            assert all(f"`{word}`" in section for word in column.one_of)


def test_import_md_leads_there() -> None:
    assert "(import-tables.md)" in (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
