"""Jobs without a number of their own get the next one of their business, whatever the others do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, run, running_application
from tests.clusters import fresh_database
from tests.seed import Business

IDS = re.compile(r'"(?:\w+_)?id"\s*:\s*\d+|/\d+\b')
MOMENTS = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


@pytest.fixture
def quiet_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """The same two businesses once more."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as application:
        yield application


def create(app: Application, business: Business | None = None, **more: Any) -> str:
    answer = app.client("admin", business).post("/api/jobs", json={"title": "x", **more})
    assert answer.status_code == 201, answer.json
    return str(answer.json["job_number"])  # type: ignore[index]


def test_each_business_counts_for_itself_from_one(own_app: Application) -> None:
    assert create(own_app) == "J-000001"
    assert [create(own_app, own_app.beta) for _ in range(3)] == ["J-000001", "J-000002", "J-000003"]
    assert create(own_app) == "J-000002"


def test_a_number_that_somebody_gave_is_passed_over(own_app: Application) -> None:
    assert [create(own_app, job_number=number) for number in ("J-000001", "J-000003", "j-000002")]
    assert [create(own_app) for _ in range(2)] == ["J-000002", "J-000004"]
    assert create(own_app, job_number="J-000005") == "J-000005"
    assert create(own_app) == "J-000006"


def test_numbers_go_on_behind_those_that_are_there_and_grow_beyond_six_digits(own_app: Application) -> None:
    create(own_app, job_number="J-999998")
    create(own_app, job_number="J-2024-17")
    for _ in range(2):
        run(
            own_app,
            "SELECT set_config('app.tenant_id', %s, true), advance_job_numbers(%s)",
            str(own_app.alpha.id),
            own_app.alpha.id,
        )
    assert [create(own_app) for _ in range(3)] == ["J-999999", "J-1000000", "J-1000001"]


def test_nobody_waits_for_a_number(own_app: Application) -> None:
    """One who has taken the next number, and whose transaction is open, is in nobody's way."""
    with closing(psycopg2.connect(own_app.database.superuser_url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT next_job_number(%s)", (own_app.alpha.id,))
        assert cursor.fetchone() == ("J-000001",)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'tuple'")
        assert cursor.fetchone() == (0,)
        assert create(own_app) == "J-000002"
        other.rollback()
    assert create(own_app) == "J-000003"


def test_a_business_comes_and_goes_with_its_numbers(own_app: Application) -> None:
    sequences = "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relname LIKE 'job\\_numbers%%'"
    before = run(own_app, sequences)
    ((tenant,),) = run(own_app, "INSERT INTO tenants (slug, name) VALUES ('new', 'new') RETURNING id")
    assert run(own_app, "SELECT next_job_number(%s)", tenant) == [("J-000001",)]
    run(own_app, "DELETE FROM tenants WHERE id = %s", tenant)
    assert run(own_app, sequences) == before


def test_only_ids_tell_of_a_busy_neighbour(quiet_app: Application, own_app: Application) -> None:
    """Beside one that enters many jobs and customers, a business is given the same bytes, but for ids."""
    for number in range(25):
        client = own_app.client("admin", own_app.beta)
        client.post("/api/customers", json={"name": f"n{number}"})
        client.post("/api/jobs", json={"title": f"n{number}"})
        client.post("/api/leads", json={"name": f"n{number}"})
    told = []
    for application in (quiet_app, own_app):
        client = application.client()
        for path, body in (
            ("jobs", {"title": "first"}),
            ("jobs", {"title": "second"}),
            ("customers", {"name": "c"}),
            ("contacts", {"name": "c"}),
            ("leads", {"name": "c"}),
            ("campaigns", {"name": "c"}),
        ):
            answer = client.post(f"/api/{path}", json=body)
            assert answer.status_code == 201
            told.append(answer.get_data(as_text=True) + answer.headers["Location"])
        for path in ("jobs?q=J-", "dashboard/stats", "dashboard/recent-jobs", "customers?sort=-created_at"):
            told.append(client.get(f"/api/{path}").get_data(as_text=True))
    bare = [MOMENTS.sub("", IDS.sub("", text)) for text in told]
    assert bare[: len(bare) // 2] == bare[len(bare) // 2 :]
    assert told[: len(told) // 2] != told[len(told) // 2 :], "the ids differ, or this shows nothing"
