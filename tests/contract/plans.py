"""The plans of statements as the application's role gets them, of each kind that Postgres may choose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from opsboard.db.prepared import limits_of, statement
from tests.application import Application

FEW = 500
GENERIC, CUSTOM = "force_generic_plan", "force_custom_plan"
EXECUTED = ", ANALYZE, TIMING OFF, SUMMARY OFF"
Plan = dict[str, Any]
# SQL, parameters, options of EXPLAIN and modes of the plan cache -> the plan in each mode.
Explain = Callable[..., dict[str, Plan]]


@contextmanager
def planning(app: Application) -> Iterator[Explain]:
    """A function that gives the plans of a prepared statement; all in one session, and each change is rolled back.

    A session of its own for each statement would read the catalogue anew each time, which takes longer than the plan.
    """
    with closing(psycopg2.connect(app.database.app_url)) as connection, connection.cursor() as cursor:

        def explain_all(
            sql: str, params: dict[str, Any], options: str, modes: tuple[str, ...]
        ) -> dict[str, Plan]:
            prepared = statement("test", sql, limits_of(sql, params))
            plans = {}
            for mode in modes:
                cursor.execute(
                    "SELECT set_config('app.tenant_id', %s, true), set_config('plan_cache_mode', %s, true)",
                    (str(params["tenant_id"]), mode),
                )
                if not plans:
                    cursor.execute(prepared.prepare, params)
                cursor.execute(f"EXPLAIN (FORMAT JSON{options}) {prepared.execute}", params)
                row = cursor.fetchone()
                assert row is not None
                plans[mode] = (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"]
                connection.rollback()
            # A rollback takes no prepared statement away.
            cursor.execute(f"DEALLOCATE {prepared.name}")
            connection.rollback()
            return plans

        yield explain_all


def explain(
    app: Application, sql: str, params: dict[str, Any], options: str = "", plans: str = "auto"
) -> dict[str, Any]:
    """The plan of one prepared statement. `plans` is the plan_cache_mode; with "auto" it is made for the values."""
    with planning(app) as explain_all:
        return explain_all(sql, params, options, (plans,))[plans]


def small_months(app: Application) -> set[str]:
    """The partitions of so few rows that Postgres rightly reads all of them: those of a month that has just begun."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND reltuples < %s", (FEW,))
        return {name for (name,) in cursor.fetchall()}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
