"""A worker killed at any point of a write: the client sends it again with its key, and it is done exactly once."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.conftest import people_of
from tests.deploy.http_client import Answer
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.seed import Business

PATIENCE = 60.0
# Seconds a write takes on a busy machine, kill included: the moments to kill at lie in here.
SPAN = 0.06
MOST = 60


@pytest.fixture(scope="module")
def own(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="module")
def server(own: FreshDatabase) -> Iterator[Gunicorn]:
    with running_gunicorn("opsboard:create_app()", DATABASE_URL=own.app_url, WEB_CONCURRENCY="2") as running:
        yield running


def until_answered(server: Gunicorn, token: str, title: str) -> tuple[Answer, int]:
    """Send a request with its key until there is an answer; return the answer and the number of attempts."""
    began, tries = time.monotonic(), 0
    while time.monotonic() - began < PATIENCE:
        tries += 1
        with suppress(OSError, http.client.HTTPException):
            answer = server.client(token).post("/api/jobs", {"title": title}, Idempotency_Key=title)
            if answer.status not in (409, 503, 504):
                return answer, tries
    pytest.fail(f"no answer within {PATIENCE:g} s")


@pytest.mark.parametrize("kills", [6, pytest.param(25, marks=pytest.mark.slow)])
def test_a_write_whose_worker_is_killed_is_done_exactly_once(
    server: Gunicorn, own: FreshDatabase, kills: int
) -> None:
    token, chance, number, again = people_of(own)[0].token, random.Random(kills), 0, 0
    # On a fast machine most writes are done before they are killed.
    while number < kills or (not again and number < MOST):
        title = f"killed {kills}/{number}"
        found: list[tuple[Answer, int]] = []
        client = threading.Thread(target=lambda: found.append(until_answered(server, token, title)))  # noqa: B023
        client.start()
        time.sleep(chance.uniform(0, SPAN))
        for pid in server.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        client.join(PATIENCE)
        ((answer, tries),) = found
        number, again = number + 1, again + (tries > 1)
        repeated = server.client(token).post("/api/jobs", {"title": title}, Idempotency_Key=title)
        assert answer.status == repeated.status == 201
        assert repeated.body == answer.body and repeated.headers["Idempotency-Replayed"] == "true"
    assert again > 0, "no kill came in time to matter"
    with closing(psycopg2.connect(own.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT title) FROM jobs WHERE title LIKE %s", (f"killed {kills}/%",)
        )
        assert cursor.fetchone() == (number, number)
