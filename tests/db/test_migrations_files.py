"""The files in migrations/, and what a folder of them may hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opsboard.db import migration_files
from opsboard.db.migration_files import default_folder, read_migrations, without_comments
from opsboard.errors import MigrationError
from tests.clusters import MIGRATIONS, FreshDatabase
from tests.db.migrating import query, write_migrations

INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_a_b ON a (b);"


def test_every_migration_can_be_taken_back() -> None:
    without = [migration.id for migration in read_migrations(MIGRATIONS) if migration.down is None]
    assert without == []
    alone = {path.name.removesuffix(".rollback.sql") for path in MIGRATIONS.glob("*.rollback.sql")}
    assert alone == {migration.id for migration in read_migrations(MIGRATIONS)}


def test_numbers_ascend_and_each_depends_on_one_before() -> None:
    """Branches take numbers ahead, so there may be gaps; no number is used twice."""
    migrations = read_migrations(MIGRATIONS)
    numbers = [int(migration.id[:4]) for migration in migrations]
    assert numbers[0] == 1 and numbers == sorted(set(numbers))
    earlier: set[str] = set()
    for migration in migrations:
        assert len(migration.depends) == min(1, len(earlier)) and set(migration.depends) <= earlier
        earlier.add(migration.id)


def test_files_without_a_transaction_hold_only_statements_that_can_run_twice() -> None:
    scripts = [
        script for migration in read_migrations(MIGRATIONS) for script in (migration.up, migration.down)
    ]
    loose = [script for script in scripts if script and not script.transactional]
    assert loose
    for script in loose:
        for statement in map(without_comments, script.statements):
            if "VALIDATE CONSTRAINT" in statement or statement.startswith(("CALL fill_", "ANALYZE ")):
                continue
            assert "CONCURRENTLY" in statement, (script.path.name, statement)
            assert "IF NOT EXISTS" in statement or "IF EXISTS" in statement, (script.path.name, statement)


def test_every_file_is_cut_into_whole_statements() -> None:
    for migration in read_migrations(MIGRATIONS):
        for script in filter(None, (migration.up, migration.down)):
            assert script.statements, script.path.name
            for statement in map(without_comments, script.statements):
                assert statement.endswith(";"), (script.path.name, statement)
                assert statement.split()[0] in FIRST_WORDS, (script.path.name, statement)


def test_service_role_cannot_change_the_records(database: FreshDatabase) -> None:
    changes = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
    rows = query(
        database.superuser_url,
        "SELECT has_table_privilege('opsboard_app', 'schema_migrations', change) FROM unnest(%s) AS change",
        [changes],
    )
    assert rows == [(False,)] * len(changes)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"1_a.sql": "SELECT 1;"}, "1_a.sql: name it NNNN_what.sql"),
        ({"0001_a.sql": "SELECT 1;", "0001_b.sql": "SELECT 1;"}, "0001_b has the number of 0001_a"),
        (
            {"0001_a.sql": "-- depends: 0002_b\nSELECT 1;", "0002_b.sql": "SELECT 1;"},
            "0001_a depends on 0002_b",
        ),
        ({"0001_a.sql": "-- transactional: no\nSELECT 1;"}, "transactional is true or false, not no"),
        (
            {"0001_a.sql": f"-- transactional: false\n{INDEX}\nCREATE TABLE a (b int);"},
            "0001_a.sql, statement 2: ",
        ),
        (
            {"0001_a.sql": "-- transactional: false\nCREATE INDEX CONCURRENTLY i ON a (b);"},
            "statement 1: without a",
        ),
        (
            {"0001_a.sql": "-- transactional: false\nUPDATE a SET b = b + 1;"},
            "statement 1: without a transaction",
        ),
        (
            {"0001_a.sql": f"-- transactional: false\n{INDEX}", "0001_a.rollback.sql": "DROP INDEX idx_a_b;"},
            "0001_a.rollback.sql, statement 1: without a transaction",
        ),
    ],
)
def test_faulty_folder_is_refused(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    with pytest.raises(MigrationError) as refused:
        read_migrations(write_migrations(tmp_path, files))
    assert fault in str(refused.value)


def test_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=r"There is no folder .*nowhere"):
        read_migrations(tmp_path / "nowhere")


def test_rollback_runs_like_its_migration_unless_it_says_otherwise(tmp_path: Path) -> None:
    files = {
        "0001_a.sql": f"-- transactional: false\n{INDEX}",
        "0001_a.rollback.sql": "DROP INDEX CONCURRENTLY IF EXISTS idx_a_b;",
        "0002_b.sql": f"-- transactional: false\n{INDEX}",
        "0002_b.rollback.sql": "-- transactional: true\nDROP INDEX idx_a_b;",
    }
    first, second = read_migrations(write_migrations(tmp_path, files))
    assert [bool(migration.down and migration.down.transactional) for migration in (first, second)] == [
        False,
        True,
    ]


def test_checkout_uses_its_own_migrations() -> None:
    assert default_folder() == MIGRATIONS


def test_installed_package_uses_the_migrations_installed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "lib" / "python" / "site-packages" / "opsboard" / "db" / "migration_files.py"
    monkeypatch.setattr(migration_files, "__file__", str(module))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(MigrationError, match="install opsboard again"):
        default_folder()
    installed = tmp_path / "share" / "opsboard" / "migrations"
    installed.mkdir(parents=True)
    assert default_folder() == installed


FIRST_WORDS = {
    "ANALYZE",
    "CALL",
    "ALTER",
    "COMMENT",
    "CREATE",
    "DELETE",
    "DO",
    "DROP",
    "GRANT",
    "INSERT",
    "LOCK",
    "REVOKE",
    "SELECT",
    "UPDATE",
}
