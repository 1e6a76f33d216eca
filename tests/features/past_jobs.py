"""A business whose jobs are told one by one, looked at from a day that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from flask.testing import FlaskClient
from psycopg2.extras import Json

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

    def write(self, statement: str, *values: Any, named: dict[str, Any] | None = None) -> Any:
        connecting = closing(psycopg2.connect(self.database.superuser_url))
        with connecting as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, named or values)
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
                RETURNING tenant_id, id, created_at
            ),
            s AS (
                INSERT INTO job_steps (tenant_id, job_id, step_order, process_id, status, created_at, completed_at)
                SELECT j.tenant_id, j.id, k.place, %s,
                    CASE WHEN k.ended IS NULL THEN 'pending' ELSE 'completed' END, j.created_at, k.ended
                FROM j
                CROSS JOIN unnest(%s::timestamptz[]) WITH ORDINALITY AS k (ended, place)
            )
            SELECT j.id FROM j
            """,
            self.id, f"P-{self.jobs}", status or ("completed" if ended else "active"), due, begun, ended,
            process, list(steps),
        )  # fmt: skip
        return found

    def add_jobs(self, jobs: list[tuple[float, float | None, list[int]]]) -> None:
        """Jobs that began so many days before noon of today, and took so many days or are open.

        Their steps, one for each process, end with them."""
        rows = [
            {"number": f"M-{self.jobs + place}", "back": back, "took": took, "processes": processes}
            for place, (back, took, processes) in enumerate(jobs)
        ]
        self.jobs += len(jobs)
        self.write(
            """
            WITH given AS (
                SELECT g.*, %(today)s::date + interval '12 hours' - g.back * interval '1 day' AS begun
                FROM jsonb_to_recordset(%(rows)s) AS g (number text, back float, took float, processes bigint[])
            ),
            j AS (
                INSERT INTO jobs (tenant_id, job_number, title, status, created_at, started_at, completed_at)
                SELECT %(tenant)s, g.number, 'a job', CASE WHEN g.took IS NULL THEN 'active' ELSE 'completed' END,
                    g.begun, g.begun, g.begun + g.took * interval '1 day'
                FROM given AS g
                RETURNING id, tenant_id, job_number, created_at, completed_at
            ),
            s AS (
                INSERT INTO job_steps (tenant_id, job_id, step_order, process_id, status, created_at, completed_at)
                SELECT j.tenant_id, j.id, k.place, k.process,
                    CASE WHEN j.completed_at IS NULL THEN 'pending' ELSE 'completed' END, j.created_at, j.completed_at
                FROM j
                JOIN given AS g ON g.number = j.job_number
                CROSS JOIN unnest(g.processes) WITH ORDINALITY AS k (process, place)
            )
            SELECT count(*) FROM j
            """,
            named={"rows": Json(rows), "tenant": self.id, "today": TODAY},
        )

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
