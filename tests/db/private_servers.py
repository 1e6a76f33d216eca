"""Servers of one test's own, beside the shared ones."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import SUPERUSER, Cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as another user")


def throwaway(data: Path, **options: Any) -> Cluster:
    return Cluster(data, durable=False, **options)


def answer(cluster: Cluster, query: str, user: str = SUPERUSER, database: str = "postgres") -> object:
    with closing(psycopg2.connect(cluster.url(user, database))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]
