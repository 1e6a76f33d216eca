"""Tables cut by month: rows find their month, months are made ahead, and no way leads around row security."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege

from tests.clusters import FreshDatabase

LOGBOOK = """
CREATE TABLE logbook (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    word text NOT NULL CHECK (word <> ''),
    word_search text COLLATE "C" GENERATED ALWAYS AS (lower(word)) STORED,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, at)
) PARTITION BY RANGE (at);
ALTER TABLE logbook ENABLE ROW LEVEL SECURITY;
ALTER TABLE logbook FORCE ROW LEVEL SECURITY;
CREATE POLICY logbook_isolation ON logbook
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON logbook TO opsboard_app;
CREATE INDEX idx_logbook_at ON logbook (tenant_id, at, id);
SELECT make_partitions('logbook', '2026-03-17', '2026-04-02');
SELECT watch_partitioned('logbook');
"""


@dataclass
class Logbook:
    """A table of two months, made by its owner, with sessions of the owner, the service and somebody above both."""

    database: FreshDatabase

    def run(self, sql: str, *parameters: Any, url: str = "", tenant: int | None = None) -> list[Any]:
        address = url or self.database.superuser_url
        with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
            if tenant is not None:
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant),))
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def by_owner(self, sql: str, *parameters: Any) -> list[Any]:
        return self.run(sql, *parameters, url=self.database.owner_url)

    def by_service(self, sql: str, *parameters: Any, tenant: int = 1) -> list[Any]:
        return self.run(sql, *parameters, url=self.database.app_url, tenant=tenant)

    def places(self) -> dict[str, str]:
        """Each word and the partition it lies in."""
        return dict(self.run("SELECT word, split_part(tableoid::regclass::text, '.', 2) FROM logbook"))

    def partitions(self) -> list[str]:
        rows = self.run("SELECT relname FROM pg_class WHERE relnamespace = 'partitions'::regnamespace "
                        "AND relkind = 'r' AND relname LIKE 'logbook%%' ORDER BY 1")  # fmt: skip
        return [name for (name,) in rows]


@pytest.fixture
def logbook(any_database: FreshDatabase) -> Logbook:
    book = Logbook(any_database)
    for slug in ("one", "two"):
        book.run("INSERT INTO tenants (slug, name) VALUES (%s, %s)", slug, slug)
    book.by_owner(LOGBOOK)
    return book


def write(book: Logbook, tenant: int = 1, **times: str) -> None:
    for word, at in times.items():
        book.by_service(
            "INSERT INTO logbook (tenant_id, word, at) VALUES (%s, %s, %s)", tenant, word, at, tenant=tenant
        )


def test_every_row_finds_its_month_and_none_is_refused(logbook: Logbook) -> None:
    write(
        logbook, Old="1970-01-01", Edge="2026-02-28 23:59:59.999999+00", First="2026-03-01 00:00+00",
        Second="2026-04-30 23:59:59+00", Late="2031-01-01", Ever="infinity",
    )  # fmt: skip
    assert logbook.places() == {
        "Old": "logbook_before", "Edge": "logbook_before", "First": "logbook_2026_03", "Second": "logbook_2026_04",
        "Late": "logbook_rest", "Ever": "logbook_rest",
    }  # fmt: skip


def test_a_month_that_is_made_late_takes_its_rows_out_of_the_rest(logbook: Logbook) -> None:
    write(logbook, May="2026-05-31 23:00+00", June="2026-06-01")
    write(logbook, tenant=2, Theirs="2026-05-01")
    assert logbook.by_owner("SELECT make_partitions('logbook', '2026-04-20', '2026-05-01')") == [(1,)]
    assert logbook.places() == {"May": "logbook_2026_05", "Theirs": "logbook_2026_05", "June": "logbook_rest"}
    assert logbook.by_service("SELECT word, word_search FROM logbook ORDER BY word") == [
        ("June", "june"),
        ("May", "may"),
    ]


def test_making_months_again_or_before_the_first_one_makes_nothing(logbook: Logbook) -> None:
    before = logbook.partitions()
    assert logbook.by_owner("SELECT make_partitions('logbook', '2025-01-01', '2026-04-30')") == [(0,)]
    assert logbook.partitions() == before == [
        "logbook_2026_03", "logbook_2026_04", "logbook_before", "logbook_rest",
    ]  # fmt: skip


def test_the_service_has_the_coming_months_made_and_can_do_nothing_else_there(logbook: Logbook) -> None:
    assert logbook.by_service("SELECT ensure_partitions(2)") == [(0,)]
    ((months,),) = logbook.run(
        "SELECT array_agg('logbook_' || to_char((now() AT TIME ZONE 'UTC') + n * interval '1 month', 'YYYY_MM')) "
        "FROM generate_series(0, 2) AS n"
    )
    assert set(months) <= set(logbook.partitions())
    for forbidden in (
        "SELECT make_partitions('logbook', '2030-01-01', '2030-01-01')",
        "SELECT count(*) FROM partitions.logbook_before",
        "CREATE TABLE partitions.mine (id bigint)",
    ):
        with pytest.raises(InsufficientPrivilege):
            logbook.by_service(forbidden)


def test_rows_are_seen_by_their_own_business_alone_whichever_way_they_are_reached(logbook: Logbook) -> None:
    write(logbook, Ours="2026-03-02", Later="2031-01-01")
    write(logbook, tenant=2, Theirs="2026-03-02")
    assert logbook.by_service("SELECT word FROM logbook ORDER BY word") == [("Later",), ("Ours",)]
    for partition in logbook.partitions():
        # Even the owner of a partition, who may enter, sees nothing in it.
        assert logbook.by_owner(f"SELECT count(*) FROM partitions.{partition}") == [(0,)]


def test_every_change_is_noted_under_the_name_of_the_table(logbook: Logbook) -> None:
    write(logbook, Ours="2026-03-02", Later="2031-01-01")
    for change in (
        "UPDATE logbook SET word = 'x'",
        "UPDATE logbook SET at = '2026-04-01'",
        "DELETE FROM logbook",
    ):
        logbook.run("DELETE FROM changes")
        logbook.by_service(change)
        assert logbook.run("SELECT tenant_id, table_name FROM changes") == [(1, "logbook")]
    logbook.run("DELETE FROM changes")
    logbook.run("TRUNCATE logbook")
    assert logbook.run("SELECT tenant_id, table_name FROM changes") == [(None, "logbook")]


def test_a_row_that_changes_its_business_is_noted_for_both(logbook: Logbook) -> None:
    write(logbook, Ours="2026-03-02")
    logbook.run("DELETE FROM changes")
    logbook.run("UPDATE logbook SET tenant_id = 2")
    assert logbook.run("SELECT tenant_id FROM changes ORDER BY 1") == [(1,), (2,)]


def test_whoever_holds_a_lock_is_not_waited_for_and_the_months_come_later(logbook: Logbook) -> None:
    with closing(psycopg2.connect(logbook.database.superuser_url)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE logbook IN ACCESS SHARE MODE; LOCK TABLE partitions.logbook_rest")
        before = logbook.partitions()
        assert logbook.by_service("SELECT ensure_partitions(1)") == [(1,)]
        assert logbook.partitions() == before
    assert logbook.by_service("SELECT ensure_partitions(1)") == [(0,)]
    assert len(logbook.partitions()) > len(before)


def test_readers_and_writers_go_on_while_a_month_is_made(logbook: Logbook) -> None:
    with closing(psycopg2.connect(logbook.database.owner_url)) as maker, maker.cursor() as cursor:
        cursor.execute("SELECT make_partitions('logbook', '2026-05-01', '2026-06-01')")
        reading = "SET LOCAL lock_timeout = '100ms'; SELECT count(*) FROM logbook WHERE at < '2026-04-01'"
        assert logbook.by_service(reading) == [(0,)]
        writing = (
            "SET LOCAL lock_timeout = '100ms'; INSERT INTO logbook (tenant_id, word, at) VALUES (1, 'x', %s)"
        )
        logbook.by_service(writing, "2026-03-03")
        maker.rollback()
    assert logbook.places() == {"x": "logbook_2026_03"}
