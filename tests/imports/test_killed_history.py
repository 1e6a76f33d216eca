"""An import of history that is killed at any moment leaves none of its rows or all, in every table and month."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.imports.desk import HEAD, MAPPING, TABLES, Desk, desk
from tests.imports.test_killed import Killing

__all__ = ["desk"]

TICKETS = 300


def lines(changes: int) -> str:
    """Each ticket with that many changes, a month apart."""
    return "".join(
        f"{ticket},{n},Ann,state {n % 3},Cy,2026-{n:02}-01 08:00\n"
        for n in range(1, changes + 1)
        for ticket in range(1, TICKETS + 1)
    )


class KillingHistory(Killing):
    """The same for a service desk, whose log grows from import to import."""

    def log(self, changes: int) -> None:
        (self.workshop.folder / "log.csv").write_text(HEAD + lines(changes))

    def counts(self) -> tuple[int, ...]:
        return tuple(self.workshop.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES)


def whole(changes: int, imports: int) -> tuple[int, ...]:
    """Return the rows after so many changes of each ticket, by so many imports, in the order of TABLES."""
    history = TICKETS * changes
    return (2, TICKETS, TICKETS, history, min(changes, 3), history, TICKETS, history + imports)


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_a_killed_import_of_history_leaves_none_or_all(desk: Desk, tmp_path: Path, kills: int) -> None:
    workshop = replace(desk.workshop, mapping=MAPPING)
    killing = KillingHistory(workshop, tmp_path / "mapping.toml")
    chance = random.Random(kills)
    changes = imports = killed = 0
    for _ in range(kills):
        before = killing.counts()
        killing.log(changes + 1)
        killed += killing.kill_after(chance.randrange(20), chance.uniform(0, 0.1), "2030-01-01")
        after = killing.counts()
        if after != before:
            imports, changes = imports + 1, changes + 1
        assert after == (whole(changes, imports) if imports else (0,) * len(TABLES))
        if changes == 11:
            workshop.rows(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            changes = imports = 0
    assert killed > kills // 3
    # A killed import stores nothing: the next one stores all rows.
    killing.log(11)
    process = killing.start("2030-01-01")
    assert process.communicate()[0].endswith("done\n")
    assert killing.counts() == whole(11, imports + 1)
