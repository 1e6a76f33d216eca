"""opsboard indexes lists what the migrations make and finds what the database lacks."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2

from opsboard.db.index_catalogue import read_catalogue
from tests.application import Application
from tests.commands.conftest import Run
from tests.contract.test_large import declared_indexes


def spoil(application: Application, statement: str) -> None:
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_list_is_that_of_the_migrations(run: Run) -> None:
    result = run("indexes", "list")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.output.splitlines()]
    assert set(names) == declared_indexes().keys() and len(names) == len(set(names)) >= 40
    of_jobs = run("indexes", "list", "--table", "jobs").output.splitlines()
    assert of_jobs and {line.split()[1] for line in of_jobs} == {"jobs"}
    assert all("jobs." in line or "dashboard." in line or "foreign key" in line for line in of_jobs)


def test_verify_finds_nothing_wrong_after_the_migrations(own_app: Application, run: Run) -> None:
    result = run("indexes", "verify", DATABASE_URL=own_app.database.app_url)
    assert (result.exit_code, result.output) == (
        0,
        f"{len(read_catalogue())} indexes, 0 missing or invalid\n",
    )


def test_verify_names_what_is_missing_invalid_or_on_another_table(own_app: Application, run: Run) -> None:
    spoil(
        own_app,
        """
        DROP INDEX idx_jobs_priority;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_jobs_customer'::regclass;
        DROP INDEX idx_users_role;
        CREATE INDEX idx_users_role ON jobs (tenant_id);
        """,
    )
    result = run("indexes", "verify", DATABASE_URL=own_app.database.app_url)
    assert result.exit_code == 1
    assert "missing: idx_jobs_priority on jobs, serves jobs.list_jobs (one priority)\n" in result.output
    assert "invalid: idx_jobs_customer on jobs" in result.output
    assert "missing: idx_users_role on users" in result.output
    assert "3 missing or invalid\n" in result.output


def test_an_index_that_a_later_migration_drops_is_not_wanted(tmp_path: Path) -> None:
    made = "-- Serves: a.b (c)\nCREATE INDEX CONCURRENTLY IF NOT EXISTS {0}\nON t (x);\n"
    (tmp_path / "0001_a.sql").write_text(made.format("one") + made.format("two"))
    (tmp_path / "0001_a.rollback.sql").write_text("DROP INDEX one;\nDROP INDEX two;\n")
    (tmp_path / "0002_b.sql").write_text("DROP INDEX CONCURRENTLY IF EXISTS one;\n")
    assert [(index.name, index.table, index.queries) for index in read_catalogue(tmp_path).values()] == [
        ("two", "t", ["a.b"])
    ]


def test_build_makes_what_is_missing_or_invalid_and_nothing_else(own_app: Application, run: Run) -> None:
    addresses = {
        "DATABASE_URL": own_app.database.app_url,
        "DATABASE_OWNER_URL": own_app.database.owner_url,
    }
    before = definitions(own_app)
    spoil(
        own_app,
        """
        DROP INDEX idx_jobs_priority;
        ALTER TABLE job_steps DROP CONSTRAINT idx_job_steps_job_order;
        DROP INDEX idx_leads_unprocessed;
        DROP INDEX idx_audit_logs_entity;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_jobs_customer'::regclass;
        """,
    )
    assert "5 missing or invalid\n" in run("indexes", "verify", **addresses).output
    assert "index idx_jobs_priority: missing" in str(run("migrate", "--verify", **addresses).exception)
    advice = run("doctor", **addresses).output
    assert "FAIL  indexes       missing: " in advice and "-> run opsboard indexes build" in advice
    built = run("indexes", "build", **addresses)
    assert built.exit_code == 0 and built.output.endswith("5 indexes built\n"), built.output
    assert run("indexes", "verify", **addresses).exit_code == 0
    assert run("migrate", "--verify", **addresses).exit_code == 0
    assert definitions(own_app) == before
    assert run("indexes", "build", **addresses).output == "0 indexes built\n"


def test_build_goes_on_where_a_killed_one_was(own_app: Application, run: Run) -> None:
    spoil(
        own_app,
        """
        DROP INDEX idx_audit_logs_user;
        CREATE INDEX idx_audit_logs_user ON ONLY audit_logs (tenant_id, user_id, created_at, id);
        CREATE INDEX audit_logs_rest_idx_audit_logs_user ON partitions.audit_logs_rest (tenant_id);
        """,
    )
    addresses = {"DATABASE_URL": own_app.database.owner_url}
    assert "invalid: idx_audit_logs_user" in run("indexes", "verify", **addresses).output
    assert run("indexes", "build", **addresses).output.endswith("1 indexes built\n")
    assert run("indexes", "verify", **addresses).exit_code == 0


def test_build_says_what_keeps_it_from_building(own_app: Application, run: Run) -> None:
    spoil(own_app, "DROP INDEX idx_users_role; CREATE INDEX idx_users_role ON jobs (tenant_id)")
    owner = own_app.database.owner_url
    assert "drop or rename it" in str(run("indexes", "build", DATABASE_URL=owner).exception)
    spoil(own_app, "DROP INDEX idx_users_role; DROP INDEX idx_jobs_priority")
    as_service = run("indexes", "build", DATABASE_URL=own_app.database.app_url)
    assert as_service.exit_code != 0 and "DATABASE_OWNER_URL" in str(as_service.exception)
    spoil(own_app, "DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)")
    assert "run `opsboard migrate` first" in str(run("indexes", "build", DATABASE_URL=owner).exception)


def definitions(application: Application) -> dict[str, str]:
    """Every index of the tables themselves, without the names of its parts."""
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT indexname, indexdef || i.indisvalid || coalesce(pg_get_constraintdef(c.oid), '') "
            "FROM pg_indexes "
            "JOIN pg_index AS i ON i.indexrelid = (schemaname || '.' || indexname)::regclass "
            "LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype = 'u' "
            "WHERE schemaname = 'public'"
        )
        return dict(cursor.fetchall())
