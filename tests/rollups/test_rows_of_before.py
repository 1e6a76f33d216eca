"""Rows from before a migration counts them, and the rollback."""

from __future__ import annotations

from opsboard.db.migrations import Migrator
from tests.rollups.conftest import Books

COUNTED = ("leads", "response_approvals", "campaigns", "campaign_recipients")
LATER = ("notifications", "workflow_execution_monitoring")


def test_what_was_there_before_is_counted_and_the_way_back_leaves_nothing(books: Books) -> None:
    migrator = Migrator(books.database.owner_url, report=lambda _: None)
    migrator.down("0023")
    books.run("DELETE FROM changes")
    books.run("UPDATE leads SET status = 'won' WHERE id = 1")
    assert books.run("SELECT table_name FROM changes") == [("leads",)]
    books.fold()
    assert [books.count(table) for table in COUNTED] == [0] * 4
    assert books.differences() == []
    migrator.up()
    assert books.differences() == []
    assert [books.count(table) for table in COUNTED] == [29, 17, 13, 91]
    books.run("UPDATE leads SET status = 'lost' WHERE id = 1")
    assert books.differences() == []


def test_notifications_and_workflows_of_before_are_counted_too(books: Books) -> None:
    migrator = Migrator(books.database.owner_url, report=lambda _: None)
    migrator.down("0026")
    books.run("DELETE FROM changes")
    for table in LATER:
        books.run(f"UPDATE {table} SET created_at = now() WHERE id = 1")
    assert books.run("SELECT table_name FROM changes") == [(table,) for table in LATER]
    books.fold()
    assert [books.count(table) for table in LATER] == [0, 0]
    assert books.differences() == []
    migrator.up()
    assert books.differences() == []
    for table in LATER:
        counted = books.run(f"SELECT count(*) FROM {table} WHERE tenant_id = 1")
        assert counted == [(books.count(table),)] != [(0,)]
        books.run(f"DELETE FROM {table} WHERE id = 1")
    assert books.differences() == []
