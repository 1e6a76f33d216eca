"""Loads jobs and steps without indexes and foreign keys in the way, and puts those back as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opsboard.db.session import Cursor
from opsboard.demo.statements import sql
from opsboard.errors import CommandError

Report = Callable[[str, int, int], object]


@contextmanager
def unhindered(cursor: Cursor, report: Report) -> Iterator[None]:
    """Everything happens in the transaction of `cursor`: if it does not commit, nothing was ever away.

    Keeping indexes up to date row by row and looking up each foreign key takes several times as long.
    """
    cursor.execute(sql.give_memory.sql)
    hindrances = _list_hindrances(cursor)
    for take_away, _ in hindrances:
        cursor.execute(take_away)
    yield
    for done, (_, put_back) in enumerate(hindrances):
        report("indexes and foreign keys", done, len(hindrances))
        cursor.execute(put_back)
    if _list_hindrances(cursor) != hindrances:
        raise CommandError("The schema is not as it was before the demo data; nothing was stored.")
    report("indexes and foreign keys", len(hindrances), len(hindrances))


def _list_hindrances(cursor: Cursor) -> list[tuple[str, str]]:
    cursor.execute(sql.list_hindrances.sql)
    return cursor.fetchall()
