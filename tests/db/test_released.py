"""Released migrations never change: `opsboard migrate` refuses a database that ran another text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import released
from tests.clusters import MIGRATIONS


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    monkeypatch.setattr(released, "MIGRATIONS", folder)
    monkeypatch.setattr(released, "LIST", folder / "released.sha256")
    return folder


def test_no_released_migration_has_changed() -> None:
    assert released.faults() == []


def test_every_release_froze_each_migration_with_its_way_back() -> None:
    names = released.read_list().keys()
    assert len(names) >= 58
    assert {name.removesuffix(".rollback.sql") for name in names if ".rollback." in name} == {
        name.removesuffix(".sql") for name in names if ".rollback." not in name
    }
    # Features of a release exist from its first version on.
    frozen = {name for name in names if ".rollback." not in name}
    older = {path.name for path in MIGRATIONS.glob("*.sql") if path.stem <= released.last_released()}
    assert {name for name in older if ".rollback." not in name} == frozen


@pytest.mark.parametrize("name", ["0001_tenants_and_users.sql", "0029_more_counts.rollback.sql"])
def test_a_changed_or_removed_one_is_named(copy: Path, name: str) -> None:
    text = (copy / name).read_text()
    (copy / name).write_text(text + "\n-- a better comment\n")
    assert [line.split()[0] for line in released.faults(copy)] == [name]
    (copy / name).unlink()
    assert [line.split()[0] for line in released.faults(copy)] == [name]


def test_a_release_freezes_what_is_new_and_nothing_twice(copy: Path) -> None:
    (copy / "9998_new.sql").write_text("SELECT 1;\n")
    (copy / "9998_new.rollback.sql").write_text("SELECT 1;\n")
    added = released.add()
    assert {"9998_new.sql", "9998_new.rollback.sql"} <= set(added)
    assert released.add() == [] and released.faults(copy) == [] and released.last_released() == "9998_new"
