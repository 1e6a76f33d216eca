"""Compares kept counts with the tables; sessions of several roles write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import FreshDatabase, fresh_database
from tests.seed import Business

DIFFERENCES = """
SELECT t.slug, d.metric, d.label, d.subject, d.day::text, d.kept, d.counted
FROM tenants AS t
CROSS JOIN LATERAL rollup_differences(t.id) AS d
"""


@dataclass
class Books:
    """A seeded database; each statement is a transaction of its own unless it is in `session()`."""

    database: FreshDatabase
    alpha: Business
    beta: Business
    connection: Any

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A statement as the role nothing is hidden from."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def differences(self) -> list[tuple[Any, ...]]:
        """Everything that is kept and not so; in one statement, so in one snapshot."""
        return self.run(DIFFERENCES)

    def fold(self, most: int = 1_000_000) -> int | None:
        ((folded,),) = self.run("SELECT fold_rollups(%s)", most)
        return folded

    def count(self, metric: str, business: Business | None = None, where: str = "true") -> int:
        """The sum of a metric as the service reads it."""
        ((total,),) = self.run(
            f"SELECT coalesce(sum(c.n), 0)::bigint FROM rollup_counts(%s, ARRAY[%s]) AS c WHERE {where}",
            (business or self.alpha).id,
            metric,
        )
        return int(total)

    def session(self, url: str = "") -> Any:
        """Another connection, in transactions."""
        return closing(psycopg2.connect(url or self.database.superuser_url))


@pytest.fixture
def books(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Books]:
    name, alpha, beta = seeded
    with (
        fresh_database(cluster, name) as database,
        closing(psycopg2.connect(database.superuser_url)) as connection,
    ):
        connection.autocommit = True
        yield Books(database, alpha, beta, connection)
