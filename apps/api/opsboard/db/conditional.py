"""Writes that depend on something: done once for a key, or only if a thing is still what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import psycopg2

from opsboard.db import tenancy
from opsboard.db.pool import PooledConnection
from opsboard.db.queries import Query
from opsboard.errors import KeyInUse, KeyTaken, OpsboardError

Row = tuple[Any, ...]

# The key is waited for, not longer than this; the write itself then waits for as long as any other.
LOCK_NOT_AVAILABLE = "55P03"
TAKE = "SELECT set_config('lock_timeout', '3s', true);\n"
TAKEN = "SELECT set_config('lock_timeout', '0', true);\n"


class Once(NamedTuple):
    """The statements of a write that runs once: insert the key, store the answer, and build the answer of a row."""

    take: Query
    keep: Query
    parameters: Mapping[str, Any]
    answer: Callable[[Row | None], Mapping[str, Any]]


class Match(NamedTuple):
    """A condition of a write: `check` is given the row of `current`, read while its thing is locked, and raises."""

    current: Query
    check: Callable[[Row | None], None]


def send_conditionally(
    connection: PooledConnection,
    query: Query,
    text: str,
    values: dict[str, Any],
    once: Once | None,
    match: Match | None,
) -> Row | None:
    """Take the key, lock and check the thing, run the write as `text` and keep its answer, in one transaction."""
    begin = f"BEGIN;\n{tenancy.bound(query.name, '')}"
    if once:
        # On its own, because a write must not be sent before its key is known to be free.
        if connection.run_clean(f"{begin}{TAKE}{once.take.sql}", values) is None:
            connection.run_clean("ROLLBACK")
            raise KeyTaken()
        begin = f"/* {query.name} */ {TAKEN}"
    if match:
        row = connection.run_clean(f"{begin}{match.current.lock};\n{match.current.sql}", values)
        try:
            match.check(row)
        except OpsboardError:
            connection.run_clean("ROLLBACK")
            raise
        begin = f"/* {query.name} */ "
    row = connection.run_clean(f"{begin}{text}", values)
    keep = f"{once.keep.sql};\n" if once else ""
    connection.run_clean(f"{keep}COMMIT", {**values, **(once.answer(row) if once else {})})
    return row


def not_taken(error: psycopg2.Error) -> OpsboardError | None:
    """Return the error for a key that could not be inserted, or None if the reason is another one."""
    return KeyInUse() if error.pgcode == LOCK_NOT_AVAILABLE else None
