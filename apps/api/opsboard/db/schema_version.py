"""True if the schema of the database is the one this version needs."""

from __future__ import annotations

from functools import cache

import psycopg2

from opsboard.db.migration_files import default_folder
from opsboard.db.queries import load_queries
from opsboard.db.session import Cursor

sql = load_queries("opsboard.db")


@cache
def expected_migrations() -> tuple[str, ...]:
    """The ids of all migrations of this version, oldest first, as they were when the process began."""
    names = (path.name for path in default_folder().glob("*.sql"))
    return tuple(sorted(name.removesuffix(".sql") for name in names if not name.endswith(".rollback.sql")))


def missing_migrations(cursor: Cursor) -> list[str]:
    """The migrations of this version that are not applied, as any role may ask, in autocommit."""
    expected = list(expected_migrations())
    try:
        cursor.execute(sql.missing_migrations.sql, {"ids": expected})
    except (psycopg2.errors.UndefinedFunction, psycopg2.errors.InvalidSchemaName):
        # Older than the function, or before the first: which ones there are is the owner's to see.
        return [expected[-1]]
    ((missing,),) = cursor.fetchall()
    return list(missing)


def in_words(missing: list[str]) -> str:
    """The error message: the schema is older than this version."""
    return f"the schema is older than this version: {missing[-1]} is not applied"
