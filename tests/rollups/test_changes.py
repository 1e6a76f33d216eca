"""Every write notes business and table in its own transaction, and no note is deleted before it was read."""

from __future__ import annotations

import io

import psycopg2
import pytest

from tests.contract.tables import NOT_WRITTEN, TABLES
from tests.rollups.conftest import Books

Notes = set[tuple[int | None, str]]
# Revocations have their own way to the workers; nothing that is kept is made from the keys of writes or from sessions.
WATCHED = sorted(set(TABLES) - {"revocations", "idempotency_keys", "sessions", *NOT_WRITTEN})


@pytest.fixture
def quiet(books: Books) -> Books:
    """With no changes noted yet."""
    forget(books)
    return books


def forget(books: Books) -> None:
    books.fold()
    books.run("DELETE FROM changes")


def forget_work(books: Books) -> None:
    """The rows that go with a step: those that go on are not counted, so each has a note of its own."""
    books.run("DELETE FROM work_records")
    books.run("DELETE FROM problems")
    forget(books)


def heard(books: Books) -> list[tuple[int | None, str, str]]:
    """The notes with their transactions, as the workers read them."""
    return books.run(
        """
        SELECT c.tenant_id, c.table_name, c.xid::text FROM changes AS c
        UNION ALL
        SELECT d.tenant_id, d.table_name, d.xid::text FROM changes_of_deltas('3:3:') AS d
        """
    )


def noted(books: Books) -> Notes:
    return {(tenant, table) for tenant, table, _ in heard(books)}


@pytest.mark.parametrize("table", WATCHED)
def test_every_table_of_a_business_is_watched_for_every_kind_of_write(quiet: Books, table: str) -> None:
    found = quiet.run(
        """
        SELECT pg_get_triggerdef(t.oid), p.prosrc
        FROM pg_trigger AS t
        JOIN pg_proc AS p ON p.oid = t.tgfoid
        WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgenabled = 'O'
        """,
        table,
    )
    # A delta is a note, too. Archived rows have triggers of their own.
    notes = [
        definition
        for definition, source in found
        if ("INSERT INTO public.changes" in source or "INSERT INTO public.rollup_deltas" in source)
        and "_archived AFTER " not in definition
    ]
    for event in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        assert sum(f" AFTER {event} ON " in definition for definition in notes) == 1, event


@pytest.mark.parametrize("table", sorted(set(WATCHED) - {"tenants", "role_process_permissions"}))
def test_update_and_delete_are_noted_for_the_business_they_concern(quiet: Books, table: str) -> None:
    quiet.run(f"UPDATE {table} SET created_at = created_at WHERE tenant_id = %s", quiet.alpha.id)
    assert noted(quiet) == {(quiet.alpha.id, table)}
    forget(quiet)
    quiet.run(f"UPDATE {table} SET created_at = created_at")
    assert noted(quiet) == {(quiet.alpha.id, table), (quiet.beta.id, table)}


def test_a_statement_that_changes_no_row_notes_nothing(quiet: Books) -> None:
    quiet.run("UPDATE jobs SET title = 'x' WHERE false")
    quiet.run("DELETE FROM job_steps WHERE false")
    assert noted(quiet) == set()


def test_copied_rows_are_noted(quiet: Books) -> None:
    with quiet.session() as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert(
            "COPY customers (tenant_id, name) FROM STDIN", io.StringIO(f"{quiet.alpha.id}\tc\n")
        )
    assert noted(quiet) == {(quiet.alpha.id, "customers")}


def test_what_the_service_writes_is_noted(quiet: Books) -> None:
    with quiet.session(quiet.database.app_url) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(quiet.alpha.id),))
        cursor.execute("INSERT INTO machines (tenant_id, name) VALUES (%s, 'm')", (quiet.alpha.id,))
        cursor.execute("UPDATE job_steps SET quantity_done = 1")
    assert noted(quiet) == {(quiet.alpha.id, "machines"), (quiet.alpha.id, "job_steps")}


def test_a_row_that_changes_hands_is_noted_for_both(quiet: Books) -> None:
    quiet.run("UPDATE audit_logs SET tenant_id = %s, user_id = NULL WHERE tenant_id = %s", 2, 1)
    assert noted(quiet) == {(1, "audit_logs"), (2, "audit_logs")}


def test_truncate_is_noted_for_everybody(quiet: Books) -> None:
    quiet.run("TRUNCATE jobs CASCADE")
    assert noted(quiet) == {
        (None, "jobs"),
        (None, "job_steps"),
        (None, "job_status_links"),
        (None, "work_records"),
        (None, "problems"),
    }


def test_a_deleted_business_is_noted_in_all_its_tables(quiet: Books) -> None:
    quiet.run("DELETE FROM tenants WHERE id = %s", quiet.beta.id)
    assert noted(quiet) >= {(quiet.beta.id, table) for table in WATCHED}


def test_ten_thousand_rows_leave_one_note(quiet: Books) -> None:
    quiet.run("INSERT INTO machines (tenant_id, name) SELECT 1, 'm' FROM generate_series(1, 10000)")
    assert len(heard(quiet)) == 1
    quiet.run("UPDATE machines SET location = 'there' WHERE tenant_id = 1")
    assert len(heard(quiet)) == 2


def test_each_transaction_leaves_its_own_note(quiet: Books) -> None:
    with quiet.session() as connection, connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("UPDATE jobs SET title = 'x' WHERE tenant_id = 1")
            connection.commit()
    assert quiet.run("SELECT count(DISTINCT xid) FROM changes") == [(3,)]


def test_a_note_lost_to_a_savepoint_is_written_again(quiet: Books) -> None:
    update = "UPDATE jobs SET title = 'x' WHERE tenant_id = 1"
    with quiet.session() as connection, connection.cursor() as cursor:
        cursor.execute(f"SAVEPOINT a; {update}; ROLLBACK TO a; SAVEPOINT b; {update}; RELEASE b; {update}")
        connection.commit()
    assert quiet.run("SELECT tenant_id, table_name FROM changes") == [(1, "jobs")]


def test_a_note_left_in_the_session_says_nothing_for_the_next_transaction(quiet: Books) -> None:
    with quiet.session() as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; UPDATE jobs SET title = 'x' WHERE tenant_id = 1")
        # As if it outlived its transaction.
        cursor.execute(
            "SELECT set_config('opsboard.noted_jobs', current_setting('opsboard.noted_jobs'), false)"
        )
        connection.commit()
        cursor.execute("UPDATE jobs SET title = 'y' WHERE tenant_id = 1")
        connection.commit()
    assert quiet.run("SELECT count(*) FROM changes") == [(2,)]


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE jobs SET status = 'on_hold', completed_at = now()",
        """INSERT INTO jobs (tenant_id, job_number, title)
           SELECT t, 'N' || n, 'n' FROM generate_series(1, 9) AS n, generate_series(1, 2) AS t""",
        "UPDATE documents SET uploaded_at = uploaded_at - interval '400 days'",
        "DELETE FROM job_steps",
    ],
)
def test_folding_moves_the_notes_of_counted_writes_with_their_transactions(quiet: Books, write: str) -> None:
    forget_work(quiet)
    quiet.run(write)
    before = sorted(heard(quiet))
    assert {tenant for tenant, *_ in before} == {1, 2}
    assert quiet.run("SELECT count(*) FROM changes") == [(0,)], "the deltas alone"
    while quiet.fold(most=1):
        assert sorted(set(heard(quiet))) == before, "between two batches"
    assert quiet.run("SELECT count(*) FROM rollup_deltas") == [(0,)]
    assert sorted(set(heard(quiet))) == before


def test_a_listener_hears_a_counted_write_whether_it_comes_before_or_after_the_fold(quiet: Books) -> None:
    forget_work(quiet)
    with quiet.session() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job_steps WHERE tenant_id = 1")
        seen = snapshot(quiet)
        connection.commit()
    ((within,),) = quiet.run("SELECT count(*) FROM changes_of_deltas(%s)", seen)
    quiet.fold()
    ((moved,),) = quiet.run("SELECT count(*) FROM changes WHERE NOT pg_visible_in_snapshot(xid, %s)", seen)
    ((left,),) = quiet.run("SELECT count(*) FROM changes_of_deltas(%s)", seen)
    assert (within, moved, left) == (1, 1, 0)


def test_the_service_hears_of_deltas_of_all_and_sees_only_its_own(quiet: Books) -> None:
    quiet.run("UPDATE jobs SET due_date = coalesce(due_date, current_date) + 1")
    with quiet.session(quiet.database.app_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, table_name FROM changes_of_deltas('3:3:') ORDER BY tenant_id")
        assert cursor.fetchall() == [(1, "jobs"), (2, "jobs")]
        cursor.execute("SELECT count(*) FROM rollup_deltas")
        assert cursor.fetchone() == (0,)


def test_the_service_reads_notes_of_all_and_writes_none(quiet: Books) -> None:
    quiet.run("UPDATE jobs SET title = 'x'")
    with quiet.session(quiet.database.app_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, table_name FROM changes ORDER BY tenant_id")
        assert cursor.fetchall() == [(1, "jobs"), (2, "jobs")]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("INSERT INTO changes (tenant_id, table_name) VALUES (1, 'jobs')")


OLD = "UPDATE changes SET at = at - interval '2 minutes'"


def prune(books: Books, seen: str) -> int | None:
    ((pruned,),) = books.run("SELECT prune_changes(%s)", seen)
    return pruned


def snapshot(books: Books) -> str:
    ((seen,),) = books.run("SELECT pg_current_snapshot()::text")
    return str(seen)


def test_old_notes_that_were_seen_are_removed(quiet: Books) -> None:
    quiet.run("UPDATE jobs SET title = 'x'")
    assert prune(quiet, snapshot(quiet)) == 0, "too young"
    quiet.run(OLD)
    assert prune(quiet, snapshot(quiet)) == 2
    assert noted(quiet) == set()


def test_a_note_of_a_long_transaction_outlives_its_age(quiet: Books) -> None:
    with quiet.session() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE jobs SET title = 'x' WHERE tenant_id = 1")
        # The transaction takes two minutes.
        cursor.execute(OLD)
        before = snapshot(quiet)
        connection.commit()
    quiet.run("UPDATE machines SET location = 'x' WHERE tenant_id = 1")
    assert prune(quiet, before) == 0
    assert noted(quiet) == {(1, "jobs"), (1, "machines")}


def test_two_that_prune_do_not_wait_for_each_other(quiet: Books) -> None:
    quiet.run("UPDATE jobs SET title = 'x'")
    seen = snapshot(quiet)
    with quiet.session() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT prune_changes(%s)", (seen,))
        assert prune(quiet, seen) is None
