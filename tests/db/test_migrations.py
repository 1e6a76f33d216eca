"""The migrator, on small migrations of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.migrations import Migrator
from opsboard.errors import MigrationError
from tests.clusters import FreshDatabase
from tests.db.migrating import blank_database, dump, query, quiet_migrator, write_migrations

FILES = {
    "0001_things.sql": "-- Things.\nCREATE TABLE things (id bigint, name text);\n"
    "INSERT INTO things VALUES (1, '5 %');",
    "0001_things.rollback.sql": "DROP TABLE things;",
    "0002_names.sql": "-- transactional: false\n-- depends: 0001_things\n"
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS idx_things_name ON things (name);\n",
    "0002_names.rollback.sql": "DROP INDEX CONCURRENTLY IF EXISTS idx_things_name;",
    "0003_notes.sql": "ALTER TABLE things ADD COLUMN note text;",
    "0003_notes.rollback.sql": "ALTER TABLE things DROP COLUMN note;",
}
IDS = ["0001_things", "0002_names", "0003_notes"]


@pytest.fixture
def blank(cluster: Cluster) -> Iterator[FreshDatabase]:
    """An unmigrated database."""
    with blank_database(cluster) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small migrations."""
    return write_migrations(tmp_path, FILES)


@pytest.fixture
def migrator(blank: FreshDatabase, folder: Path) -> Migrator:
    """A migrator of the three."""
    return quiet_migrator(blank, folder)


def states(migrator: Migrator) -> list[str]:
    """The state of each migration, in order."""
    return [line.state for line in migrator.status()]


def test_up_applies_what_is_pending_in_order_and_tells_it(blank: FreshDatabase, folder: Path) -> None:
    said: list[str] = []
    migrator = Migrator(blank.owner_url, folder, report=said.append)
    assert migrator.pending() == IDS
    assert migrator.up() == IDS
    assert said == [f"applying {key}" for key in IDS]
    assert migrator.pending() == []
    assert all(line.applied_at and line.applied_at.tzinfo for line in migrator.status())
    assert migrator.up() == []
    assert query(blank.owner_url, "SELECT name, note FROM things") == [("5 %", None)]


def test_asking_for_the_state_changes_nothing(blank: FreshDatabase, migrator: Migrator) -> None:
    before = dump(blank)
    assert states(migrator) == ["pending"] * 3
    with pytest.raises(MigrationError, match="no migration is applied"):
        migrator.verify()
    assert dump(blank) == before


@pytest.mark.parametrize("to", ["0002", "0002_names"])
def test_up_and_down_stop_at_the_migration_named(migrator: Migrator, to: str) -> None:
    assert migrator.up(to) == IDS[:2]
    assert states(migrator) == ["ok", "ok", "pending"]
    migrator.up()
    assert migrator.down(to) == IDS[2:]
    assert states(migrator) == ["ok", "ok", "pending"]


def test_down_to_zero_leaves_nothing(blank: FreshDatabase, migrator: Migrator) -> None:
    before = dump(blank)
    migrator.up()
    assert migrator.down("zero") == IDS[::-1]
    assert dump(blank) == before
    assert migrator.down("zero") == []


@pytest.mark.parametrize("go", ["up", "down"])
def test_unknown_migration_is_an_error(migrator: Migrator, go: str) -> None:
    with pytest.raises(MigrationError, match="There is no migration 0009 in "):
        getattr(migrator, go)("0009")


def test_edited_file_is_refused_by_verify_and_by_up(folder: Path, migrator: Migrator) -> None:
    migrator.up("0002")
    (folder / "0001_things.sql").write_text(FILES["0001_things.sql"].replace("bigint", "integer"))
    assert states(migrator) == ["changed", "ok", "pending"]
    with pytest.raises(MigrationError, match="0001_things: changed"):
        migrator.verify()
    with pytest.raises(MigrationError, match=r"0001_things\.sql was edited after it ran"):
        migrator.up()
    assert migrator.down("zero") == ["0002_names", "0001_things"]
    assert migrator.up() == IDS


def test_line_ends_are_not_an_edit(folder: Path, migrator: Migrator) -> None:
    migrator.up()
    (folder / "0001_things.sql").write_bytes(FILES["0001_things.sql"].replace("\n", "\r\n").encode())
    migrator.verify()


def test_older_release_on_a_newer_schema_has_nothing_to_do(folder: Path, migrator: Migrator) -> None:
    migrator.up()
    (folder / "0003_notes.sql").unlink()
    (folder / "0003_notes.rollback.sql").unlink()
    assert states(migrator) == ["ok", "ok", "missing file"]
    assert migrator.up() == []
    with pytest.raises(MigrationError, match="0003_notes: missing file"):
        migrator.verify()
    with pytest.raises(
        MigrationError, match=r"0003_notes.rollback.sql is not in .*use the release that applied it"
    ):
        migrator.down("0001")
    assert states(migrator) == ["ok", "ok", "missing file"]


def test_pending_migration_beside_one_without_a_file_is_refused(folder: Path, migrator: Migrator) -> None:
    migrator.up()
    (folder / "0003_notes.sql").rename(folder / "0003_remarks.sql")
    with pytest.raises(
        MigrationError, match="0003_notes was applied but has no file, and 0003_remarks is pending"
    ):
        migrator.up()


def test_failing_statement_is_told_with_its_file_number_and_reason(
    blank: FreshDatabase, folder: Path, migrator: Migrator
) -> None:
    broken = "CREATE TABLE extra (id int);\nINSERT INTO things VALUES ('x', 'y');"
    write_migrations(folder, {"0003_notes.sql": broken})
    with pytest.raises(MigrationError) as refused:
        migrator.up()
    assert str(refused.value) == ('0003_notes.sql, statement 2: invalid input syntax for type bigint: "x"')
    assert query(blank.owner_url, "SELECT to_regclass('extra')") == [(None,)]
    assert states(migrator) == ["ok", "ok", "pending"]


def test_failed_index_is_told_and_built_once_its_reason_is_gone(
    blank: FreshDatabase, migrator: Migrator
) -> None:
    migrator.up("0001")
    query(blank.owner_url, "INSERT INTO things VALUES (2, '5 %')")
    with pytest.raises(MigrationError) as refused:
        migrator.up()
    assert str(refused.value) == (
        '0002_names.sql, statement 1: could not create unique index "idx_things_name"'
        " Key (name)=(5 %) is duplicated."
    )
    with pytest.raises(MigrationError, match="0002_names: unfinished; index idx_things_name: invalid"):
        migrator.verify()
    query(blank.owner_url, "DELETE FROM things WHERE id = 2")
    assert migrator.up() == IDS[1:]
    migrator.verify()


def test_blocks_functions_and_quotes_are_not_cut_apart(blank: FreshDatabase, tmp_path: Path) -> None:
    text = """
-- Leading; comment.
DO $$ BEGIN IF true THEN PERFORM 1; END IF; END $$;
CREATE FUNCTION plain() RETURNS int LANGUAGE plpgsql AS $body$
DECLARE n int := 1;
BEGIN
    CASE WHEN n = 1 THEN n := 2; ELSE n := 3; END CASE;
    FOR i IN 1..2 LOOP n := n + i; END LOOP; -- it's; here
    RETURN n;
END
$body$;
CREATE FUNCTION modern() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE TABLE "odd;name" (note text DEFAULT 'a;''b', back text DEFAULT '\\'); /* ; */
INSERT INTO "odd;name" DEFAULT VALUES;
-- Trailing; comment.
"""
    assert quiet_migrator(blank, write_migrations(tmp_path, {"0001_odd.sql": text})).up() == ["0001_odd"]
    assert query(blank.owner_url, 'SELECT plain(), modern(), note, back FROM "odd;name"') == [
        (5, 2, "a;'b", "\\")
    ]


def test_settings_of_the_role_do_not_disturb(blank: FreshDatabase, folder: Path) -> None:
    write_migrations(
        folder, {"0003_notes.sql": "DO $$ BEGIN PERFORM pg_sleep(0.1); END $$; CREATE TABLE here (id int);"}
    )
    settings = ("statement_timeout = '50ms'", "search_path = pg_catalog", "lock_timeout = '1ms'")
    for setting in (*settings, "idle_in_transaction_session_timeout = '1ms'"):
        query(blank.superuser_url, f'ALTER DATABASE "{blank.name}" SET {setting}')
    quiet_migrator(blank, folder).up()
    assert query(blank.superuser_url, "SELECT to_regclass('public.here')::text") == [("public.here",)]


def test_address_that_does_not_answer_is_told_with_the_setting(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        MigrationError, match=r"Cannot connect with DATABASE_OWNER_URL: .*No such file"
    ) as refused:
        Migrator(f"postgresql:///nothing?host={tmp_path}", folder).up()
    assert "\n" not in str(refused.value)
