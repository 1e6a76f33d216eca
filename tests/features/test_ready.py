"""Ready means that the schema is the one this version needs."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from tests.application import Application


def change(app: Application, statement: str) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)


def ready(app: Application) -> tuple[int, str]:
    answer = app.client(None).get("/api/health/ready")
    found = answer.json or {}
    return answer.status_code, found.get("code") or found["status"]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)",
        "DELETE FROM schema_migrations WHERE id LIKE '0005%'",
        "UPDATE schema_migrations SET applied_at = NULL WHERE id = (SELECT max(id) FROM schema_migrations)",
        "DROP FUNCTION missing_migrations(text [])",
        "DROP TABLE schema_migrations",
    ],
    ids=[
        "the last is missing",
        "one is missing",
        "one is not ended",
        "older than the function",
        "never migrated",
    ],
)
def test_not_ready_on_an_older_schema(own_app: Application, damage: str) -> None:
    assert ready(own_app) == (200, "ready")
    change(own_app, damage)
    assert ready(own_app) == (503, "schema_missing")


def test_ready_on_a_newer_schema(own_app: Application) -> None:
    change(own_app, "INSERT INTO schema_migrations VALUES ('9999_of_a_later_release', 'x', now())")
    assert ready(own_app) == (200, "ready")
