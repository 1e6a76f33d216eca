"""A business whose jobs are told one by one, looked at from a day that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from flask.testing import FlaskClient

from opsboard.auth.passwords import hash_password
from tests.application import Application, running_application
from tests.clusters import FreshDatabase
from tests.seed import PASSWORD, Business

TODAY = "2026-03-31"
_hash = hash_password(PASSWORD)


class Shop:
    """The business, and the only way its rows come to be."""

    def __init__(self, database: FreshDatabase, zone: str) -> None:
        self.database = database
        self.jobs = 0
        self.id: int = self.write(
            "INSERT INTO tenants (slug, name, time_zone, as_of) VALUES ('past', 'Past', %s, %s) RETURNING id",
            zone,
            TODAY,
        )
        self.write(
            "INSERT INTO users (tenant_id, email, role, password_hash) VALUES (%s, 'admin@past.example', 'admin', %s) "
            "RETURNING id",
            self.id,
            _hash,
        )
        self.client: FlaskClient

    def write(self, statement: str, *values: Any) -> Any:
        connecting = closing(psycopg2.connect(self.database.superuser_url))
        with connecting as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return (cursor.fetchone() or (None,))[0]

    def process(self, name: str) -> int:
        found: int = self.write(
            "INSERT INTO processes (tenant_id, name) VALUES (%s, %s) RETURNING id", self.id, name
        )
        return found

    def job(
        self,
        due: str | None,
        begun: str,
        ended: str | None = None,
        steps: tuple[str | None, ...] = (),
        status: str | None = None,
        process: int | None = None,
    ) -> int:
        """A job with a step for each time in `steps`, which is when it was completed; None: it was not."""
        self.jobs += 1
        found: int = self.write(
            """
            WITH j AS (
                INSERT INTO jobs (tenant_id, job_number, title, status, due_date, created_at, started_at, completed_at)
                VALUES (%s, %s, 'a job', %s, %s, %s, NULL, %s)
                RETURNING tenant_id, id
            ),
            s AS (
                INSERT INTO job_steps (tenant_id, job_id, step_order, process_id, status, completed_at)
                SELECT j.tenant_id, j.id, k.place, %s,
                    CASE WHEN k.ended IS NULL THEN 'pending' ELSE 'completed' END, k.ended
                FROM j
                CROSS JOIN unnest(%s::timestamptz[]) WITH ORDINALITY AS k (ended, place)
            )
            SELECT j.id FROM j
            """,
            self.id, f"P-{self.jobs}", status or ("completed" if ended else "active"), due, begun, ended,
            process, list(steps),
        )  # fmt: skip
        return found

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.json


@contextmanager
def past_shop(database: FreshDatabase, zone: str = "UTC") -> Iterator[Shop]:
    """An empty business with the application in front of it."""
    shop = Shop(database, zone)
    business = Business(shop.id, "past", "")
    with running_application(database, business, business, cache_enabled=False) as application:
        shop.client = signed_in(application)
        yield shop


def signed_in(application: Application) -> FlaskClient:
    return application.client("admin")
