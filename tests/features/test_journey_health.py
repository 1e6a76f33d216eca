"""Steps that nobody executes are seen: by operators, by Prometheus, of every business."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.application import Application
from tests.seed import Business


def let_steps_wait(app: Application, business: Business, minutes: int, status: str = "active") -> None:
    """One contact of the business, in a journey of that status, is due since then; nobody else is due."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE journey_contacts SET due_at = now() + interval '1 day'")
        cursor.execute(
            """
            WITH one AS (
                UPDATE journey_contacts AS c
                SET status = 'active', due_at = now() - make_interval(mins => %s)
                WHERE c.id = (SELECT min(o.id) FROM journey_contacts AS o WHERE o.tenant_id = %s)
                RETURNING c.tenant_id, c.journey_id
            )
            UPDATE journeys AS j SET status = %s FROM one
            WHERE (j.tenant_id, j.id) = (one.tenant_id, one.journey_id)
            """,
            (minutes, business.id, status),
        )
        assert cursor.rowcount == 1
        connection.commit()


def told(app: Application) -> tuple[Any, float]:
    """Health and Prometheus report waiting journeys."""
    text = app.client(None).get("/metrics").get_data(as_text=True)
    (family,) = [
        family
        for family in text_string_to_metric_families(text)
        if family.name == "opsboard_journeys_oldest_due_seconds"
    ]
    return app.client().get("/api/health/journeys").json, family.samples[0].value


@pytest.mark.parametrize("whose", ["alpha", "beta"])
def test_a_step_that_waits_too_long_is_a_warning(own_app: Application, whose: str) -> None:
    let_steps_wait(own_app, getattr(own_app, whose), minutes=10)
    health, seconds = told(own_app)
    assert health["status"] == "warning" and health["oldest_due_seconds"] >= 600 and seconds >= 600
    assert "no runner executes it" in health["warnings"][0]
    assert "opsboard-journeys" in health["recommendations"][0]


@pytest.mark.parametrize(
    ("minutes", "status", "is_due"), [(1, "active", True), (10, "paused", False), (-1, "active", False)]
)
def test_what_is_due_a_moment_ago_later_or_in_a_paused_journey_is_well(
    own_app: Application, minutes: int, status: str, is_due: bool
) -> None:
    let_steps_wait(own_app, own_app.beta, minutes, status)
    health, seconds = told(own_app)
    assert (health["status"], health["warnings"], health["recommendations"]) == ("ok", [], [])
    assert (health["oldest_due_seconds"] is not None, seconds > 0) == (is_due, is_due)


@pytest.mark.parametrize("table", ["journeys", "journey_contacts", "tenants"])
def test_a_locked_table_is_not_known_and_nothing_else(own_app: Application, table: str) -> None:
    let_steps_wait(own_app, own_app.alpha, minutes=10)
    client = own_app.client()
    with closing(psycopg2.connect(own_app.database.superuser_url)) as other, other.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        health: Any = client.get("/api/health/journeys").json
        text = own_app.client(None).get("/metrics").get_data(as_text=True)
    assert (health["status"], health["oldest_due_seconds"]) == ("unknown", None) and "locked" in health[
        "problem"
    ]
    assert "\nopsboard_database_up 1.0" in text and "opsboard_journeys_oldest_due_seconds" not in text
