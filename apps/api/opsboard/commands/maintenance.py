"""opsboard maintenance: pause writes of all workers, and let them go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.queries import Query, load_queries
from opsboard.db.session import Cursor, connected
from opsboard.errors import CommandError

db = load_queries("opsboard.db")

PATIENCE = 15.0  # seconds that workers may take to hear of it
LONGEST = 200


@click.group()
def maintenance() -> None:
    """Maintenance mode: writes get 503 with Retry-After on all workers of all machines, and reads go on."""


@maintenance.command()
@click.option("--retry-after", type=click.IntRange(1, 86_400), default=60, show_default=True, metavar="SECONDS",
              help="When clients should try again.")  # fmt: skip
@click.option("--reason", default="", help="A sentence that people see, such as when it will be over.")
def on(retry_after: int, reason: str) -> None:
    """Pause writes, and wait until all live workers do. Journeys are not executed meanwhile. Sign-ins go on.

    Exit code 1: a worker has not said within 15 s that it does.

    \b
    Example:
      opsboard maintenance on --retry-after 300 --reason "New server; until about 18:00."
    """
    if len(reason) > LONGEST or not (reason.isprintable()):
        raise CommandError(f"--reason has at most {LONGEST} characters, all of which can be printed.")
    change(db.pause_writes, is_paused=True, retry_after=retry_after, reason=reason)


@maintenance.command()
def off() -> None:
    """Let writes go on, and wait until all live workers do."""
    change(db.resume_writes, is_paused=False)


@maintenance.command()
def status() -> None:
    """Say whether writes are paused, and how many workers say so. Exit code 1 when they are."""
    with asking() as cursor:
        cursor.execute(db.write_pause.sql)
        pause = cursor.fetchone()
        live, others = count_workers(cursor, is_paused=True)
    said = f"writes are paused (try again after {pause[0]} s) {pause[1]}" if pause else "writes go on"
    click.echo(f"{said.strip()}; {live - others} of {live} live workers refuse writes")
    if pause:
        raise click.exceptions.Exit(1)


@contextmanager
def asking() -> Iterator[Cursor]:
    config = load_config()
    with (
        embedded_server(config),
        connected(service_url(config), "maintenance") as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def change(query: Query, is_paused: bool, **parameters: object) -> None:
    """Pause writes or let them go on, and wait for the workers."""
    with asking() as cursor:
        cursor.execute(query.sql, parameters)
        live, others = wait_for_workers(cursor, is_paused)
    done = "writes are paused" if is_paused else "writes go on"
    click.echo(f"{done}: {live - others} of {live} live workers have heard of it")
    if others:
        raise click.exceptions.Exit(1)


def wait_for_workers(cursor: Cursor, is_paused: bool) -> tuple[int, int]:
    until = time.monotonic() + PATIENCE
    while True:
        live, others = count_workers(cursor, is_paused)
        if not others or time.monotonic() > until:
            return live, others
        time.sleep(0.1)


def count_workers(cursor: Cursor, is_paused: bool) -> tuple[int, int]:
    """How many workers are alive, and how many of them do not say so."""
    cursor.execute(db.workers_that_pause.sql, {"is_paused": is_paused})
    ((live, others),) = cursor.fetchall()
    return live, others
