"""Databases to migrate, migrators that die at a chosen statement, and dumps to compare what they leave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

from opsboard.db.embedded import OWNER, Cluster
from opsboard.db.migrations import Migrator
from tests.clusters import FreshDatabase

Strike = Callable[[connection], None]
_numbers = count(1)


class Point(NamedTuple):
    """A moment of a migration: right before or right after one statement."""

    when: str
    event: str


def write_migrations(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these migrations."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def blank_database(cluster: Cluster, template: str | None = None) -> Iterator[FreshDatabase]:
    """An unmigrated database of the owner role (or a copy of one), dropped afterwards."""
    database = FreshDatabase(cluster, f"migrating_{next(_numbers)}")
    cluster.ensure_roles_and_database("opsboard")
    _administer(
        cluster,
        "CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER {owner}",
        name=database.name,
        template=template or "template0",
        owner=OWNER,
    )
    try:
        yield database
    finally:
        _administer(cluster, "DROP DATABASE {name} WITH (FORCE)", name=database.name)


def query(url: str, statement: str, parameters: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
    """The rows of one statement on a connection of its own."""
    with closing(psycopg2.connect(url)) as conn:
        conn.autocommit = True
        with conn.cursor() as rows:
            rows.execute(statement, parameters)
            return rows.fetchall() if rows.description else []


def dump(database: FreshDatabase) -> str:
    """The schema as the server's own pg_dump writes it, without what differs from dump to dump."""
    bindir = query(database.superuser_url, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")[0][0]
    command = [f"{bindir}/pg_dump", "--schema-only", database.superuser_url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def journal(run: Callable[[], object]) -> list[str]:
    """The statements a run changes the database with, in order."""
    events: list[str] = []
    with patch.object(
        psycopg2, "connect", partial(psycopg2.connect, cursor_factory=_watching(events.append))
    ):
        run()
    return events


@contextmanager
def struck_at(point: Point, strike: Strike) -> Iterator[None]:
    """A migrator inside the block is struck when it comes to the point, which it must."""
    came: list[Point] = []

    def look(when: str, event: str, conn: connection) -> None:
        if point == (when, event) and not came:
            came.append(point)
            strike(conn)

    factory = _watching(lambda _: None, partial(look, "before"), partial(look, "after"))
    with patch.object(psycopg2, "connect", partial(psycopg2.connect, cursor_factory=factory)):
        yield
    assert came, f"never came to {point}"


def fork(run: Callable[[], object]) -> int:
    """Run it in a child process that ends with 0 when it succeeded; its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        run()
        os._exit(0)
    except BaseException:
        os._exit(1)


def die_at(point: Point, run: Callable[[], object]) -> None:
    """Run it in a child process that is killed with SIGKILL at the point."""

    def child() -> None:
        with struck_at(point, lambda _: os.kill(os.getpid(), signal.SIGKILL)):
            run()

    _, status = os.waitpid(fork(child), 0)
    assert os.WIFSIGNALED(status), f"never came to {point}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def quiet_migrator(database: FreshDatabase, folder: Path) -> Migrator:
    """A migrator that says nothing."""
    return Migrator(database.owner_url, folder, report=lambda _: None)


def terminate(database: FreshDatabase, conn: connection) -> None:
    """End the server's side of a connection, and wait until it is gone."""
    pid = conn.info.backend_pid
    query(database.superuser_url, "SELECT pg_terminate_backend(%s)", [pid])
    wait_until(lambda: not alive(database, pid), "the backend to end")


def alive(database: FreshDatabase, backend_pid: int) -> bool:
    """Return True if the server still has this backend."""
    return bool(query(database.superuser_url, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend_pid]))


def _watching(
    note: Callable[[str], None],
    before: Callable[[str, connection], None] = lambda event, conn: None,
    after: Callable[[str, connection], None] = lambda event, conn: None,
) -> type[cursor]:
    last = [""]

    class Watching(cursor):
        def execute(self, statement: Any, parameters: Any = None) -> None:
            event = self.mogrify(statement, parameters).decode()
            if event == "COMMIT":
                event = f"COMMIT after {last[0]}"
            before(event, self.connection)
            super().execute(statement, parameters)
            after(event, self.connection)
            # Only what changes the database: where a run looks, and how long it waits, is its own affair.
            if not event.strip().startswith(("SET", "SELECT", "BEGIN", "ROLLBACK")):
                last[0] = event
                note(event)

    return Watching


def _administer(cluster: Cluster, statement: str, **names: str) -> None:
    identifiers = {key: sql.Identifier(name) for key, name in names.items()}
    with closing(psycopg2.connect(cluster.url("postgres", "postgres"))) as conn:
        conn.autocommit = True
        with conn.cursor() as administrator:
            administrator.execute(sql.SQL(statement).format(**identifiers))
