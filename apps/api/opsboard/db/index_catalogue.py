"""The indexes the migrations make, each with its table and what its `-- Serves:` line says it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from opsboard.db.migration_files import default_folder

MADE = re.compile(
    r"(?:^-- Serves: (?P<serves>[^\n]+)\n)?"
    r"^CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name>\w+)\s+ON (?:ONLY )?(?P<table>\w+)"
    r"|^DROP INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?(?P<dropped>\w+)",
    re.MULTILINE,
)
QUERY = re.compile(r"\b[a-z_]+\.[a-z_]+\b")


@dataclass(frozen=True)
class Index:
    """One index as a migration makes it."""

    name: str
    table: str
    serves: str

    @property
    def queries(self) -> list[str]:
        """The named queries it serves."""
        return QUERY.findall(self.serves)


def read_catalogue(folder: Path | None = None) -> dict[str, Index]:
    """Every index there should be once all migrations have run, by name, in the order they are made."""
    found: dict[str, Index] = {}
    for path in sorted((folder or default_folder()).glob("*.sql")):
        if path.name.endswith(".rollback.sql"):
            continue
        for match in MADE.finditer(path.read_text(encoding="utf-8")):
            if match["dropped"]:
                found.pop(match["dropped"], None)
            else:
                found[match["name"]] = Index(match["name"], match["table"], match["serves"] or "")
    return found
