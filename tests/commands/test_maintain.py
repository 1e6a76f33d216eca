"""opsboard maintain shows each month of a table and removes those that need not be kept; counts stay right."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.commands.conftest import Run
from tests.commands.test_maintenance import urls

OLD_MONTHS = """
-- The part of all that was there before the table was cut by month, which has no rows here.
DROP TABLE partitions.audit_logs_before;
CREATE TABLE partitions.audit_logs_2001_01 PARTITION OF audit_logs FOR VALUES FROM ('2001-01-01Z') TO ('2001-02-01Z');
CREATE TABLE partitions.audit_logs_2001_02 PARTITION OF audit_logs FOR VALUES FROM ('2001-02-01Z') TO ('2001-03-01Z');
INSERT INTO audit_logs (tenant_id, action, entity, created_at)
SELECT t.id, 'create', 'job', '2001-01-15Z'::timestamptz + n * interval '1 day'
FROM tenants AS t CROSS JOIN generate_series(1, 20) AS n;
SELECT fold_rollups(1000000);
"""


def execute(app: Application, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def lines_of(output: str, month: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if f" {month} " in line]


def test_old_months_are_shown_then_removed(own_app: Application, run: Run) -> None:
    execute(own_app, OLD_MONTHS)
    [(before,)] = execute(own_app, "SELECT count(*) FROM audit_logs")
    words = ("maintain", "--keep", "audit_logs=12")
    tried = run(*words, "--dry-run", **urls(own_app.database))
    assert tried.exit_code == 0, tried.exception
    (january,), (february,) = lines_of(tried.output, "2001-01"), lines_of(tried.output, "2001-02")
    assert january[:4] == ["audit_logs", "2001-01", "32", "rows"] and february[2] == "8"
    assert tried.output.endswith("40 rows of 2 months would be removed\n")
    assert execute(own_app, "SELECT count(*) FROM audit_logs") == [(before,)]
    done = run(*words, **urls(own_app.database))
    assert done.exit_code == 0 and done.output.endswith("40 rows of 2 months removed\n"), done.exception
    assert execute(own_app, "SELECT count(*) FROM audit_logs") == [(before - 40,)]
    assert execute(own_app, "SELECT to_regclass('partitions.audit_logs_2001_01')") == [(None,)]
    assert run("rollups", "verify", **urls(own_app.database)).exit_code == 0
    again = run(*words, **urls(own_app.database))
    assert again.output.endswith("0 rows of 0 months removed\n")


def test_a_table_in_use_keeps_its_months(own_app: Application, run: Run) -> None:
    execute(own_app, OLD_MONTHS)
    with closing(psycopg2.connect(own_app.database.superuser_url)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_logs")
        refused = run("maintain", "--keep", "audit_logs=12", **urls(own_app.database))
    assert "audit_logs is in use" in str(refused.exception)
    assert execute(own_app, "SELECT count(*) FROM partitions.audit_logs_2001_01") == [(32,)]


@pytest.mark.parametrize("pair", ["jobs=3", "messages=3", "audit_logs", "audit_logs=0", "audit_logs=-1"])
def test_other_tables_and_no_months_are_refused(app: Application, run: Run, pair: str) -> None:
    refused = run("maintain", "--keep", pair, **urls(app.database))
    assert refused.exit_code != 0 and (
        "--keep takes" in str(refused.exception) or "not from" in str(refused.exception)
    )
