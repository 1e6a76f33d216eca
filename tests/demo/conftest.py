"""A generated database, looked at by many tests and changed by none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from opsboard.db.embedded import Cluster
from opsboard.demo.generate import generate
from tests.clusters import FreshDatabase, fresh_database

MOMENT = datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
JOBS = 4000


@pytest.fixture(scope="package")
def generated(cluster: Cluster, template: str) -> Iterator[FreshDatabase]:
    """4,000 jobs as of an afternoon in March."""
    with fresh_database(cluster, template) as database:
        assert generate(database.owner_url, JOBS, MOMENT, lambda *_: None)
        yield database
