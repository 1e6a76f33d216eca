"""Logs of others, whole or their first lines, and what a database holds after their import."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.clusters import FreshDatabase

# The short form imports so many lines, the long one all of them.
LINES = [5_000, pytest.param(None, marks=pytest.mark.slow, id="all")]


def rows(database: FreshDatabase, query: str) -> list[tuple[Any, ...]]:
    """The rows of one statement, which nothing is hidden from."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def folder_of(log: Path, lines: int | None, folder: Path) -> Path:
    """Where a log lies: its own folder, or one with its header and first lines under the same name."""
    if lines is None:
        return log.parent
    if log.suffix == ".zip":
        with zipfile.ZipFile(log) as archive, zipfile.ZipFile(folder / log.name, "w") as part:
            (name,) = archive.namelist()
            with archive.open(name) as file:
                part.writestr(name, b"".join(islice(file, lines + 1)))
    else:
        with gzip.open(log) as file, gzip.open(folder / log.name, "wb") as part_of_it:
            part_of_it.writelines(islice(file, lines + 1))
    return folder
