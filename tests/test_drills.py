"""The drills of docs/operations.md bring everything back: after a restore and after an export equal by checksum."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, run
from tests.db.migrating import blank_database
from tests.drills import (
    BEGIN,
    END,
    JOBS,
    Drills,
    Figure,
    checksums,
    make_businesses,
    two_databases,
    with_table,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations.md"


def test_small_businesses_come_back_equal(own_app: Application, cluster: Cluster, tmp_path: Path) -> None:
    drills = Drills(own_app.database, tmp_path)
    with blank_database(cluster) as empty:
        drills.back_up_and_restore(empty)
    drills.export_and_import()
    assert [figure.drill.split("`")[1] for figure in drills.figures if "`" in figure.drill] == [
        "opsboard backup", "opsboard backup verify", "opsboard restore", "opsboard tenant export", "opsboard import",
    ]  # fmt: skip


@pytest.mark.slow
def test_businesses_with_a_million_jobs_come_back_equal(tmp_path: Path) -> None:
    with two_databases() as (large, empty):
        make_businesses(large, JOBS)
        drills = Drills(large, tmp_path)
        drills.back_up_and_restore(empty)
        assert f"{JOBS:,} jobs" in {figure.result for figure in drills.figures}
        drills.export_and_import()


def test_a_row_that_differs_changes_the_checksum_of_its_table(own_app: Application) -> None:
    before = checksums(own_app.database.superuser_url)
    run(own_app, "UPDATE machines SET location = location || '.' WHERE id = (SELECT min(id) FROM machines)")
    after = checksums(own_app.database.superuser_url)
    assert before["machines"][0] == after["machines"][0] > 0
    assert {table for table in before if before[table] != after[table]} == {
        "machines", "search_pending",
    }  # fmt: skip


def test_the_document_has_the_figures_of_the_long_form() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_table(text, []).count(BEGIN) == 1
    figures = text.partition(BEGIN)[2].partition(END)[0]
    assert "tables equal" in figures and "files equal" in figures
    assert "| a | b | 12 |" in with_table(text, [Figure("a", "b", 12.3)])
