"""In the demo's businesses a job's lateness depends on its state, so that there is something to predict."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.queries import load_queries
from opsboard.features.jobs.lateness_routes import FEWEST, HELD_OUT, LEARNED
from tests.clusters import FreshDatabase
from tests.demo.conftest import MOMENT


def calibration(database: FreshDatabase, slug: str) -> dict[str, Any]:
    query = load_queries("opsboard.features.jobs").risk_calibration
    given = {**LEARNED, "held_out": HELD_OUT, "fewest": FEWEST}
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tenants WHERE slug = %s", (slug,))
        (tenant,) = cursor.fetchone() or (0,)
        # As of the day that the data is of: since then all open jobs would have become late. Rolled back at the end.
        cursor.execute("UPDATE tenants SET as_of = %s WHERE id = %s", (MOMENT.date(), tenant))
        cursor.execute(f"SELECT ({query.sql})::jsonb", {**given, "tenant_id": tenant})
        (found,) = cursor.fetchone() or ({},)
        return dict(found)


@pytest.mark.parametrize("slug", ["north", "south"])
def test_the_predicted_risk_of_the_demo_is_better_than_its_base_rate_and_not_flat(
    generated: FreshDatabase, slug: str
) -> None:
    found = calibration(generated, slug)
    assert found["is_better"] is True
    assert found["brier"] < 0.95 * found["brier_of_base_rate"]
    assert len(found["bins"]) >= 4
