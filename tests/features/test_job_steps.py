"""Steps by the days on which they were started and completed."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application

# In Tokyo it is nine hours later: the second step starts on the 3rd and ends on the 5th there.
TIMES = [
    ("2026-10-02 08:00+00", "2026-10-02 12:00+00"),
    ("2026-10-02 15:00+00", "2026-10-04 20:00+00"),
    ("2026-10-04 08:00+00", None),
]


@pytest.fixture
def steps(own_app: Application) -> list[int]:
    """Three steps with these times, all others without any, in a business of Tokyo."""
    url = own_app.database.superuser_url
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = %s", (own_app.alpha.id,))
        cursor.execute("UPDATE job_steps SET started_at = NULL, completed_at = NULL, status = 'pending'")
        cursor.execute(
            "SELECT id FROM job_steps WHERE tenant_id = %s ORDER BY id LIMIT 3", (own_app.alpha.id,)
        )
        found = [row[0] for row in cursor.fetchall()]
        for step, (started, completed) in zip(found, TIMES, strict=True):
            cursor.execute(
                "UPDATE job_steps SET started_at = %s, completed_at = %s, status = %s WHERE id = %s",
                (started, completed, "completed" if completed else "in_progress", step),
            )
    return found


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ("started_from=2026-10-03", [1, 2]),
        ("started_to=2026-10-03", [0, 1]),
        ("started_from=2026-10-03&started_to=2026-10-03", [1]),
        ("completed_from=2026-10-05", [1]),
        ("completed_to=2026-10-04", [0]),
        ("completed_from=2026-10-02&completed_to=2026-10-05", [0, 1]),
        ("started_to=2026-10-04&completed_from=2026-10-03&status=completed", [1]),
        ("completed_from=2026-10-06", []),
    ],
)
def test_steps_by_the_days_of_their_start_and_completion(
    own_app: Application, steps: list[int], filters: str, numbers: list[int]
) -> None:
    answer: Any = own_app.client().get(f"/api/job-steps?{filters}&sort=created_at&page_size=100")
    assert sorted(item["id"] for item in answer.json["items"]) == [steps[number] for number in numbers]
    assert (answer.json["total"], answer.headers["X-Queries"]) == (len(numbers), "1")


def test_a_day_that_is_none_is_refused(app: Application) -> None:
    answer = app.client().get("/api/job-steps?started_from=2026-13-01")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "started_from")  # type: ignore[index]
