"""Every kind of write is counted, folded or not; folding, time zones and repair keep out of each other's way."""

from __future__ import annotations

import io

import pytest
from psycopg2 import errors

from tests.rollups.conftest import Books

ALL_SOURCES = (
    "jobs", "job_steps", "machines", "users", "processes", "customers", "audit_logs",
    "documents", "contacts", "conversations", "messages", "call_log", "leads", "response_approvals", "campaigns",
    "campaign_recipients", "journeys", "journey_contacts", "journey_node_executions", "journey_messages",
    "notifications", "workflow_execution_monitoring", "work_records", "problems", "deliveries",
)  # fmt: skip


def test_a_seeded_business_is_counted_right_before_and_after_folding(books: Books) -> None:
    assert books.differences() == []
    assert books.count("jobs") == 90
    ((waiting,),) = books.run("SELECT count(*) FROM rollup_deltas")
    assert books.fold() == waiting > 0
    assert books.differences() == []
    assert books.count("jobs") == 90


@pytest.mark.parametrize("folded", [False, True], ids=["not folded", "folded"])
@pytest.mark.parametrize(
    "write",
    [
        "UPDATE jobs SET status = 'completed', completed_at = now() WHERE status = 'active'",
        "UPDATE jobs SET due_date = NULL WHERE id % 2 = 0",
        "UPDATE jobs SET created_at = created_at - interval '400 days'",
        "UPDATE job_steps SET assigned_user_id = NULL WHERE id % 3 = 0",
        "UPDATE job_steps SET status = 'completed', completed_at = now() WHERE status = 'pending'",
        "UPDATE machines SET status = 'inactive'",
        "UPDATE users SET is_active = NOT is_active, role = 'manager'",
        "UPDATE processes SET is_active = false",
        "DELETE FROM audit_logs WHERE id % 2 = 0",
        "DELETE FROM jobs WHERE status = 'completed'",
        "DELETE FROM tenants WHERE slug = 'beta'",
        "TRUNCATE job_steps CASCADE",
        "TRUNCATE jobs CASCADE",
        "TRUNCATE tenants CASCADE",
        "UPDATE audit_logs SET tenant_id = 2, user_id = NULL",
        "UPDATE leads SET status = 'contacted', created_at = created_at - interval '40 days' WHERE id % 2 = 0",
        "DELETE FROM campaigns WHERE status = 'running'",
        "UPDATE response_approvals SET status = 'pending', decided_at = NULL",
        "UPDATE campaign_recipients SET status = 'opened'",
        "UPDATE journey_contacts SET status = 'failed' WHERE id % 2 = 0",
        "DELETE FROM journeys WHERE status = 'draft'",
        "UPDATE notifications SET read_at = now() WHERE id % 2 = 0",
        "DELETE FROM notifications WHERE read_at IS NULL",
        "TRUNCATE notifications",
        "UPDATE workflow_execution_monitoring SET status = 'failed', finished_at = now() WHERE id % 2 = 0",
        "DELETE FROM workflows WHERE id % 2 = 0",
        "TRUNCATE workflow_execution_monitoring",
        "TRUNCATE campaign_recipients CASCADE",
        "TRUNCATE journey_contacts CASCADE",
        "INSERT INTO customers (tenant_id, name) SELECT 1, 'c' FROM generate_series(1, 10000)",
    ],
)
def test_each_write_is_counted(books: Books, write: str, folded: bool) -> None:
    books.fold()
    kept = books.run("SELECT * FROM rollups ORDER BY 1, 2, 3, 4, 5")
    books.run(write)
    if folded:
        books.fold()
        assert books.run("SELECT * FROM rollups ORDER BY 1, 2, 3, 4, 5") != kept
    assert books.differences() == []


def test_copied_rows_are_counted(books: Books) -> None:
    lines = "".join(f"{books.alpha.id}\tX{n}\tcopied\ton_hold\n" for n in range(500))
    before = books.count("jobs", where="c.label = 'on_hold'")
    with books.session() as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert("COPY jobs (tenant_id, job_number, title, status) FROM STDIN", io.StringIO(lines))
    assert books.count("jobs", where="c.label = 'on_hold'") == before + 500
    assert books.differences() == []


def test_what_counts_nowhere_writes_no_delta(books: Books) -> None:
    books.fold()
    books.run("UPDATE jobs SET title = 'other', quantity = 3, priority = 'high'")
    books.run("UPDATE job_steps SET quantity_done = 1")
    books.run("UPDATE users SET full_name = 'other'")
    assert books.run("SELECT count(*) FROM rollup_deltas") == [(0,)]


def test_many_rows_of_one_statement_become_few_deltas(books: Books) -> None:
    books.fold()
    books.run("INSERT INTO machines (tenant_id, name) SELECT 1, 'm' FROM generate_series(1, 10000)")
    # The first two one by one.
    assert books.run("SELECT count(*), sum(n) FROM rollup_deltas") == [(3, 10_000)]


def test_many_moments_of_one_statement_become_few_deltas(books: Books) -> None:
    books.fold()
    books.run(
        """
        INSERT INTO jobs (tenant_id, job_number, title, created_at, completed_at, status)
        SELECT 1, 'M' || n, 'm', now() - n * interval '1 hour', now() - n % 7 * interval '1 hour', 'completed'
        FROM generate_series(1, 1002) AS n
        """
    )
    # Two as they are, one sum, and for either moment the other thousand in lists of fifty.
    assert books.run("SELECT count(*) FROM rollup_deltas") == [(2 + 1 + 2 * 20,)]
    assert books.differences() == []
    for write in ("DELETE FROM jobs WHERE tenant_id = 1 AND title = 'm'", "DELETE FROM tenants WHERE id = 2"):
        books.fold()
        books.run(write)
        assert books.differences() == [], write
    books.fold()
    assert books.differences() == []


@pytest.mark.parametrize("rows", [1, 2, 3, 51, 52, 53, 102, 103])
def test_no_row_is_lost_where_lists_of_moments_end(books: Books, rows: int) -> None:
    books.fold()
    many = """
        INSERT INTO jobs (tenant_id, job_number, title, created_at)
        SELECT 1, 'L' || n, 'l', {}
        FROM generate_series(1, %s) AS n
    """
    for moment in ("now()", "now() - n * interval '1 day'"):
        books.run(many.format(moment), rows)
        assert books.differences() == []
        books.run("DELETE FROM jobs WHERE title = 'l'")
        assert books.differences() == []
    books.fold()
    assert books.differences() == []


def test_readers_see_a_write_and_its_counts_at_the_same_moment(books: Books) -> None:
    with books.session() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs WHERE tenant_id = %s", (books.alpha.id,))
        assert books.count("jobs") == 90
        books.fold()
        assert books.differences() == []
        connection.commit()
    assert books.count("jobs") == 0


def test_a_rollback_takes_the_counts_back(books: Books) -> None:
    with books.session() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE jobs SET status = 'draft'; SAVEPOINT here; UPDATE jobs SET status = 'active'")
        cursor.execute("ROLLBACK TO here")
        connection.commit()
        cursor.execute("DELETE FROM job_steps")
        connection.rollback()
    assert books.count("jobs", where="c.label = 'draft'") == 90
    assert books.differences() == []


def test_folding_waits_for_nobody_and_nobody_for_it(books: Books) -> None:
    with (
        books.session() as folder,
        folder.cursor() as folding,
        books.session() as writer,
        writer.cursor() as writing,
    ):
        for cursor in (folding, writing):
            cursor.execute("SET lock_timeout = '1s'")
        writing.execute("UPDATE jobs SET status = 'draft'")
        folding.execute("SELECT fold_rollups(1000000)")
        assert folding.fetchone() != (None,)
        # The one that comes second goes away.
        assert books.fold() is None
        writing.execute("UPDATE job_steps SET status = 'skipped'")
        writer.commit()
        assert books.differences() == []
        folder.rollback()
    assert books.differences() == []


def test_days_are_cut_where_lists_cut_them(books: Books) -> None:
    # In Havana 2025-11-02 had its first hour twice; midnight is the beginning of the second.
    books.run("UPDATE tenants SET time_zone = 'America/Havana' WHERE id = %s", books.alpha.id)
    for minute in range(0, 180, 10):
        books.run(
            """
            INSERT INTO jobs (tenant_id, job_number, title, created_at)
            VALUES (%s, %s, 'at night', '2025-11-02 03:30Z'::timestamptz + %s * interval '1 minute')
            """,
            books.alpha.id, f"N{minute}", minute,
        )  # fmt: skip
    listed = """
        SELECT count(*) FROM jobs
        WHERE tenant_id = %s
            AND created_at >= %s::timestamp AT TIME ZONE 'America/Havana'
            AND created_at < (%s::date + 1)::timestamp AT TIME ZONE 'America/Havana'
    """
    for day in ("2025-11-01", "2025-11-02"):
        ((expected,),) = books.run(listed, books.alpha.id, day, day)
        assert expected > 0
        assert books.count("jobs_created", where=f"c.day = '{day}'") == expected
    assert books.differences() == []


@pytest.mark.parametrize("folded", [False, True], ids=["not folded", "folded"])
def test_a_new_time_zone_moves_the_days(books: Books, folded: bool) -> None:
    books.run("UPDATE jobs SET created_at = '2026-03-31 23:30Z' WHERE tenant_id = %s", books.alpha.id)
    if folded:
        books.fold()
    assert books.count("jobs_created", where="c.day = '2026-03-31'") == 90
    books.run("UPDATE tenants SET time_zone = 'Europe/Berlin' WHERE id = %s", books.alpha.id)
    assert books.count("jobs_created", where="c.day = '2026-03-31'") == 0
    assert books.count("jobs_created", where="c.day = '2026-04-01'") == 90
    assert books.differences() == []


def test_nothing_is_folded_in_the_old_time_zone_while_a_new_one_is_not_committed(books: Books) -> None:
    with books.session() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = %s", (books.alpha.id,))
        books.run("UPDATE jobs SET created_at = '2026-03-31 23:30Z' WHERE tenant_id = %s", books.alpha.id)
        assert books.fold() is None
        assert books.differences() == []
        connection.commit()
    assert books.differences() == []
    books.fold()
    assert books.count("jobs_created", where="c.day = '2026-04-01'") == 90
    assert books.differences() == []


def test_a_time_zone_that_does_not_exist_is_refused(books: Books) -> None:
    with pytest.raises(errors.InvalidParameterValue):
        books.run("UPDATE tenants SET time_zone = 'Mars/Olympus'")


@pytest.mark.parametrize("whole", ["TRUNCATE jobs CASCADE", "UPDATE tenants SET time_zone = 'Asia/Tokyo'"])
def test_what_recounts_as_a_whole_is_refused_with_an_old_snapshot(books: Books, whole: str) -> None:
    with books.session() as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM jobs")
        with pytest.raises(errors.FeatureNotSupported):
            cursor.execute(whole)


def test_wrong_counts_are_found_and_made_right(books: Books) -> None:
    books.fold()
    books.run("UPDATE rollups SET n = n + 2 WHERE metric = 'jobs' AND label = 'draft' AND tenant_id = 1")
    books.run("DELETE FROM rollups WHERE metric = 'machines' AND label = 'active' AND tenant_id = 1")
    books.run("INSERT INTO rollup_deltas (tenant_id, source, n) VALUES (1, 'customers', 5)")
    wrong = {
        (metric, label): (kept, counted) for _, metric, label, _, _, kept, counted in books.differences()
    }
    assert wrong == {("jobs", "draft"): (8, 6), ("machines", "active"): (0, 6), ("customers", ""): (17, 12)}
    books.run("DELETE FROM changes")
    assert books.run("SELECT rebuild_rollups(1)") == [(3,)]
    assert books.differences() == []
    # Answers made from the wrong counts are dropped.
    noted = books.run("SELECT table_name FROM changes WHERE tenant_id = 1")
    assert {name for (name,) in noted} == set(ALL_SOURCES)
    assert books.run("SELECT rebuild_rollups(1)") == [(0,)]


def test_rows_loaded_without_triggers_are_counted_by_a_rebuild_of_the_same_transaction(books: Books) -> None:
    with books.session(books.database.owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(books.alpha.id),))
        cursor.execute("ALTER TABLE customers DISABLE TRIGGER customers_insert")
        cursor.execute("INSERT INTO customers (tenant_id, name) SELECT 1, 'c' FROM generate_series(1, 100)")
        cursor.execute("ALTER TABLE customers ENABLE TRIGGER customers_insert")
        cursor.execute("SELECT rebuild_rollups(1)")
        connection.commit()
    assert books.count("customers") == 112
    assert books.differences() == []


def test_a_rebuild_lets_writers_go_on(books: Books) -> None:
    with books.session() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rebuild_rollups(1)")
        with books.session() as other, other.cursor() as writing:
            writing.execute(
                "SET lock_timeout = '1s'; UPDATE jobs SET status = 'on_hold'; DELETE FROM job_steps"
            )
            other.commit()
        assert books.differences() == []
        connection.commit()
    assert books.differences() == []


def test_the_service_cannot_write_counts(books: Books) -> None:
    with (
        books.session(books.database.app_url) as connection,
        connection.cursor() as cursor,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        cursor.execute("UPDATE rollups SET n = 0")
