"""The indexes the migrations make, each with its table and what its `-- Serves:` line says it is for."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from opsboard.db.migration_files import default_folder, without_comments
from opsboard.db.queries import load_queries

sql = load_queries("opsboard.db")

MADE = re.compile(
    r"(?:^-- Serves: (?P<serves>[^\n]+)\n)?"
    r"^CREATE (?P<unique>UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name>\w+)"
    r"\s+ON (?:ONLY )?(?P<table>\w+)\s*(?P<columns>[^;]+);"
    r"|^DROP INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?(?P<dropped>\w+)"
    r"|^ALTER TABLE \w+ ADD CONSTRAINT \w+\s+UNIQUE USING INDEX (?P<constrains>\w+) (?P<how>[A-Z ]+);",
    re.MULTILINE,
)
QUERY = re.compile(r"\b[a-z_]+\.[a-z_]+\b")


@dataclass(frozen=True)
class Index:
    """One index as a migration makes it. `columns` is all that follows the table's name."""

    name: str
    table: str
    serves: str
    unique: bool = False
    columns: str = ""
    # The options of the constraint that a migration made of this index, such as DEFERRABLE.
    constraint: str = ""

    @property
    def queries(self) -> list[str]:
        """The named queries it serves."""
        return QUERY.findall(self.serves)

    @property
    def statement(self) -> str:
        """The statement that builds it without blocking writers; a partitioned table needs `opsboard indexes build`."""
        return self.statement_on(self.table, self.name, "CONCURRENTLY ")

    def statement_on(self, table: str, name: str, how: str = "") -> str:
        """Return the statement that builds it under another name or on a partition; `how` is CONCURRENTLY or empty."""
        unique = "UNIQUE " if self.unique else ""
        return f"CREATE {unique}INDEX {how}IF NOT EXISTS {name} ON {table} {self.columns}"

    @property
    def constraint_statement(self) -> str:
        """The statement that makes the constraint of the built index; nothing else changes."""
        return f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} UNIQUE USING INDEX {self.name} {self.constraint}"


def read_catalogue(folder: Path | None = None, applied: Container[str] | None = None) -> dict[str, Index]:
    """Every index there should be once all migrations, or those `applied`, have run, by name, oldest first."""
    found: dict[str, Index] = {}
    for path in sorted((folder or default_folder()).glob("*.sql")):
        if path.name.endswith(".rollback.sql") or (applied is not None and path.stem not in applied):
            continue
        for match in MADE.finditer(path.read_text(encoding="utf-8")):
            if match["dropped"]:
                found.pop(match["dropped"], None)
            elif match["constrains"]:
                found[match["constrains"]] = replace(found[match["constrains"]], constraint=match["how"])
            else:
                found[match["name"]] = Index(
                    match["name"], match["table"], match["serves"] or "",
                    bool(match["unique"]), without_comments(match["columns"]),
                )  # fmt: skip
    return found


@dataclass(frozen=True)
class Fault:
    """An index that is not as the migrations make it: `missing` or `invalid`."""

    index: Index
    state: str
    # The table of another index that has its name.
    namesake_on: str = ""


def find_faults(cursor: Cursor, catalogue: Mapping[str, Index]) -> list[Fault]:
    """The indexes of the catalogue that queries cannot use; one that is being built just now is not a fault."""
    cursor.execute(sql.present_indexes.sql)
    present = {name: (table, valid, building) for name, table, valid, building in cursor.fetchall()}
    faults = []
    for index in catalogue.values():
        table, valid, building = present.get(index.name, ("", False, False))
        if not table:
            faults.append(Fault(index, "missing"))
        elif table != index.table:
            faults.append(Fault(index, "missing", namesake_on=table))
        elif not valid and not building:
            faults.append(Fault(index, "invalid"))
    return faults
