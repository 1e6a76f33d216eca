"""One file and the tables made from it, for tests of how a file is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import Summary, run_import
from tests.imports.workshop import Workshop

PIECES = """
[tables.jobs]
file = "f"
external_id = "{No}"
[tables.jobs.columns]
job_number = "{No}"
title = "{No}"
quantity = "{Pieces}"
"""
DUE = PIECES.replace('quantity = "{Pieces}"', 'created_at = "{Due}"\ndue_date = "{Due}"')


@dataclass(frozen=True)
class Sheet:
    """A business in Berlin with one file."""

    workshop: Workshop

    def run(
        self, text: str | bytes, tables: str, settings: str = "", path: str = "data.csv", **options: Any
    ) -> Summary:
        """Import a file of this content; `settings` are further keys of it."""
        content = text if isinstance(text, bytes) else text.encode()
        (self.workshop.folder / path).write_bytes(content)
        mapping = parse_mapping(f'[files.f]\npath = "{path}"\n{settings}\n{tables}')
        return run_import(self.workshop.database.app_url, self.workshop.folder, mapping, "mill", **options)

    def told(self, *arguments: Any, **options: Any) -> list[str]:
        """Return the faults of a refused file, without the totals at the end."""
        with pytest.raises(ImportRejected) as refused:
            self.run(*arguments, **options)
        return str(refused.value).splitlines()[:-1]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.workshop.rows(query)


@pytest.fixture
def sheet(workshop: Workshop) -> Sheet:
    """A business with an empty folder."""
    workshop.rows("UPDATE tenants SET time_zone = 'Europe/Berlin'")
    return Sheet(workshop)
