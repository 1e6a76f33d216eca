"""After any failure of the change feed, no answer is older than two seconds unless it is marked STALE."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import APPLICATION, FreshDatabase, fresh_database
from tests.deploy.conftest import Person, people_of
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.fleet.silent_network import SilentNetwork, silent_network
from tests.fleet.workers import STATS, Commits, Seen, one_client_each, reading
from tests.rollups.history import repeatedly
from tests.seed import Business
from tests.waiting import eventually

# A writer that dies of an error would leave nothing to be late.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
WORKERS = 4
OLDEST = 2.0  # seconds
ADD_JOB = (
    "INSERT INTO jobs (tenant_id, job_number, title) "
    "SELECT id, gen_random_uuid(), 'new' FROM tenants WHERE slug = 'alpha'"
)
# The connections of change feeds, by their last statements.
FEEDS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = %s AND query LIKE '/* fleet.%%' AND query NOT LIKE '%%fold_rollups%%'"
)


@dataclass
class Fleet:
    """Four workers whose requests and change feeds can be cut off from the database separately."""

    server: Gunicorn
    database: FreshDatabase
    person: Person
    of_requests: SilentNetwork
    of_pulses: SilentNetwork

    def feeds(self) -> list[int]:
        return [pid for (pid,) in self.run(FEEDS, self.database.name)]

    def run(self, sql: str, *values: object) -> list[tuple[int]]:
        with (
            closing(psycopg2.connect(self.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def fleet(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Fleet]:
    with (
        fresh_database(cluster, seeded[0]) as database,
        silent_network(cluster.socket_dir) as of_requests,
        silent_network(cluster.socket_dir) as of_pulses,
        running_gunicorn(
            "tests.fleet.two_ways_app:app()",
            DATABASE_URL=of_requests.url(APPLICATION, database.name),
            FEED_URL=of_pulses.url(APPLICATION, database.name),
            WEB_CONCURRENCY=str(WORKERS),
            REQUEST_DEADLINE="1.5",
            DB_POOL_TIMEOUT="0.5",
            LOG_LEVEL="error",
        ) as server,
    ):
        yield Fleet(server, database, people_of(database)[0], of_requests, of_pulses)


@contextmanager
def writing(fleet: Fleet, commits: Commits) -> Iterator[None]:
    """Somebody who writes to the database itself, some fifty times a second."""
    with closing(psycopg2.connect(fleet.database.superuser_url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()

        def write() -> None:
            commits.begun.append(time.monotonic())
            cursor.execute(ADD_JOB)
            commits.acknowledged.append(time.monotonic())

        done = threading.Event()
        thread = repeatedly(done, 0.02, write)
        try:
            yield
        finally:
            done.set()
            thread.join(30)


def live_through(
    fleet: Fleet, trouble: Callable[[threading.Event], None], seconds: float
) -> tuple[list[Seen], Commits]:
    """All answers of all workers while something happens to their connections, and what was committed."""
    with ExitStack() as stack:
        # Two for each worker, so that one may join what the other's request loads.
        clients = [
            client
            for _ in range(2)
            for client in stack.enter_context(
                one_client_each(fleet.server, fleet.person.token, WORKERS)
            ).values()
        ]
        commits = Commits(clients[0].get(STATS).json["jobs"]["total"])
        readers = stack.enter_context(reading(clients))
        stack.enter_context(writing(fleet, commits))
        over = threading.Event()
        thread = threading.Thread(target=trouble, args=(over,), daemon=True)
        thread.start()
        over.wait(seconds)  # how long the trouble lasts, not a wait for something
        over.set()
        thread.join(30)
        eventually(
            "all workers answer the newest",
            lambda: all(r.seen[-1].ended > time.monotonic() - 5 for r in readers),
        )
    return [seen for reader in readers for seen in reader.seen], commits


def judge(answers: list[Seen], commits: Commits) -> tuple[Counter[str], float]:
    """How many answers there were of each kind, and the age of the oldest that was not marked."""
    kinds = Counter(seen.outcome if seen.status == 200 else str(seen.status) for seen in answers)
    unmarked = [seen for seen in answers if seen.status == 200 and seen.outcome != "STALE"]
    assert not any(commits.from_nowhere(seen) for seen in answers if seen.status == 200)
    assert not [seen for seen in answers if seen.status not in (200, 503, 504)]
    oldest = max(commits.seconds_old(seen) for seen in unmarked)
    print(
        f"\n{sum(kinds.values())} answers {dict(kinds)}, {len(commits.begun)} commits; oldest unmarked {oldest:.2f} s"
    )
    late = [seen for seen in unmarked if commits.seconds_old(seen) > OLDEST]
    assert late == [], f"{len(late)} answers, up to {oldest:.2f} s old"
    return kinds, oldest


LENGTHS = [pytest.param(3.5, id="short"), pytest.param(60.0, id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize("seconds", LENGTHS)
def test_pulses_killed_every_half_second(fleet: Fleet, seconds: float) -> None:
    killed: list[int] = []

    def kill(over: threading.Event) -> None:
        while not over.wait(0.5):
            for pid in fleet.feeds():
                killed.append(pid)
                fleet.run("SELECT pg_terminate_backend(%s)", pid)

    kinds, _ = judge(*live_through(fleet, kill, seconds))
    assert len(killed) >= seconds * WORKERS
    assert kinds["HIT"] > 0 and kinds["MISS"] > 0


@pytest.mark.parametrize("seconds", LENGTHS)
def test_pulses_that_hear_nothing_and_are_told_nothing(fleet: Fleet, seconds: float) -> None:
    """Silences of two lengths: one that ends before the worker is stale, and one that does not."""

    def silence(over: threading.Event) -> None:
        while not over.is_set():
            for length in (3.5, 1.5):
                fleet.of_pulses.fall_silent()
                over.wait(length)
                fleet.of_pulses.speak()
                over.wait(0.5)

    kinds, oldest = judge(*live_through(fleet, silence, seconds))
    assert oldest > 1.0, "cached answers were served for a while, or this proves nothing"
    assert kinds["MISS"] > 0


@pytest.mark.parametrize("seconds", LENGTHS)
def test_pulses_whose_server_process_is_frozen(fleet: Fleet, seconds: float) -> None:
    frozen: list[int] = []

    def freeze(over: threading.Event) -> None:
        try:
            while not over.wait(0.5):
                for pid in set(fleet.feeds()).difference(frozen):
                    os.kill(pid, signal.SIGSTOP)
                    frozen.append(pid)
        finally:
            for pid in frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    _, oldest = judge(*live_through(fleet, freeze, seconds))
    assert len(frozen) >= WORKERS
    assert oldest > 0.5, "cached answers were served for a while, or this proves nothing"


@pytest.mark.parametrize("seconds", LENGTHS)
def test_nothing_gets_through_to_the_database(fleet: Fleet, seconds: float) -> None:
    def silence(over: threading.Event) -> None:
        while not over.is_set():
            for network in (fleet.of_pulses, fleet.of_requests):
                network.fall_silent()
            over.wait(5.0)
            for network in (fleet.of_requests, fleet.of_pulses):
                network.speak()
            over.wait(2.0)

    kinds, _ = judge(*live_through(fleet, silence, seconds))
    assert kinds["STALE"] > 0
