"""Memory of a Postgres backend once every statement of the API is prepared on it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.database import PREPARED_STATEMENTS
from opsboard.db.prepared import limits_of, statement
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries, shapes

# docs/operations.md says so, of the default of DB_PREPARED_STATEMENTS.
MOST_MEGABYTES = 64


def one_of_each() -> list[tuple[str, dict[str, Any]]]:
    """Each query in its first shape, then the lists in their other shapes."""
    every = [list(shapes(query)) for query in all_queries()]
    firsts = [(sql, params) for (_, sql, params), *_ in every]
    others = [(sql, params) for _, *more in every for _, sql, params in more]
    return [*firsts, *others]


def megabytes(cursor: Any) -> float:
    cursor.execute("SELECT sum(m.total_bytes) / 1048576.0 FROM pg_backend_memory_contexts AS m")
    return float(cursor.fetchone()[0])


def held_by(app: Application, number: int) -> tuple[int, float]:
    """How many statements were prepared and planned for all values, and the megabytes of the backend."""
    done = 0
    with closing(psycopg2.connect(app.database.superuser_url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SET ROLE opsboard_app")
        cursor.execute("SELECT set_config('app.tenant_id', '1', false)")
        cursor.execute("SET plan_cache_mode TO force_generic_plan")
        for sql, params in one_of_each():
            if done == number:
                break
            params = {**VALUES, **params}
            known = statement("test", sql, limits_of(sql, params))
            try:
                cursor.execute(known.prepare, params)
                cursor.execute(f"EXPLAIN {known.execute}", params)
            except psycopg2.Error:
                continue  # of another role, or refused by its values: not one that the service keeps
            done += 1
        cursor.execute("RESET ROLE")
        return done, megabytes(cursor)


def test_a_backend_with_as_many_prepared_statements_as_are_kept_stays_below_a_bound(
    app: Application,
) -> None:
    done, held = held_by(app, PREPARED_STATEMENTS)
    assert done == PREPARED_STATEMENTS
    assert 10 < held < MOST_MEGABYTES


@pytest.mark.slow
def test_a_backend_with_all_statements_of_the_api_stays_below_a_bound(app: Application) -> None:
    done, held = held_by(app, 10_000)
    assert done > 400
    assert held < 256
