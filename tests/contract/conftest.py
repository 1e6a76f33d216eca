"""A database with many rows of everything, for the tests that look at plans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.catalogue import listed_tables
from tests.contract.large_ledgers import LARGE_LEDGERS, NOT_FOLDED
from tests.contract.large_sales import LARGE_SALES
from tests.contract.large_shop import LARGE_SHOP
from tests.rows import fill, not_written_by
from tests.seed import Business

JOBS = 10_000
# Rows of a table of which a business has fewer than of jobs.
FEWER = {"webhooks": 1_000}


@pytest.fixture(scope="session")
def large(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """Two businesses with many rows of everything, analysed and vacuumed; what a test does to them it takes back."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cur:
            connection.autocommit = True
            seed = {"alpha": alpha.id, "beta": beta.id, "jobs": JOBS}
            cur.execute(LARGE_SHOP + LARGE_SALES + LARGE_LEDGERS, seed)
            for table in not_written_by(LARGE_SHOP + LARGE_SALES + LARGE_LEDGERS, listed_tables()):
                fill(cur, table, alpha.id, "large", FEWER.get(table, JOBS))
            cur.execute("SELECT fold_rollups(1000000), fold_words(1000000)")
            cur.execute(NOT_FOLDED, seed)
            cur.execute("VACUUM ANALYZE")
        with running_application(database, alpha, beta) as application:
            yield application
