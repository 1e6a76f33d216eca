"""Real workers above one Redis: they use what others made, and do not notice what becomes of it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.conftest import people_of
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.fleet.workers import STATS, one_client_each
from tests.redis_servers import RedisServer
from tests.seed import Business
from tests.waiting import eventually

# After this long a worker that hears nothing distrusts what it keeps: no answer may be older.
OLDEST = 2.0  # seconds
WORKERS = 4


@pytest.fixture
def data(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture
def fleet(data: FreshDatabase, own_redis: RedisServer) -> Iterator[Gunicorn]:
    with running_gunicorn(
        "tests.deploy.probe_app:app()",
        DATABASE_URL=data.app_url,
        CACHE_URL=own_redis.url,
        WEB_CONCURRENCY=str(WORKERS),
        LOG_LEVEL="warning",
    ) as server:
        yield server


def made_by_another(first: Client, others: list[Client]) -> bool:
    """Return True if one of the others has from the second level what the first has made just now."""
    first.post("/api/health/cache/clear", {})
    first.get(STATS)
    answers = [other.get(STATS) for other in others]
    return any((answer.headers["X-Cache"], answer.headers["X-Queries"]) == ("HIT", "0") for answer in answers)


def second_level(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/health/cache").json["cache_stats"]["second_level"]
    return found


def test_what_one_worker_made_the_others_give_without_a_statement(
    fleet: Gunicorn, data: FreshDatabase
) -> None:
    admin, stranger = people_of(data)[:2]
    with one_client_each(fleet, admin.token, WORKERS) as clients:
        first, *others = clients.values()
        eventually("all reach it", lambda: second_level(first)["state"] == "up", 10)
        seen: Counter[tuple[str, str]] = Counter()
        until = time.monotonic() + 60
        # A transaction that happens to overlap costs a hit now and then, and so does a busy machine.
        while seen["HIT", "0"] < 20:
            assert time.monotonic() < until, seen
            assert first.post("/api/health/cache/clear", {}).json["acknowledged"] == WORKERS
            made = first.get(STATS)
            assert made.headers["X-Cache"] == "MISS", "a clear reaches the second level too"
            for other in others:
                answer = other.get(STATS)
                assert (answer.body, answer.headers["ETag"]) == (made.body, made.headers["ETag"])
                seen[answer.headers["X-Cache"], answer.headers["X-Queries"]] += 1
                if answer.headers["X-Cache"] == "HIT":
                    assert "shared;dur=" in answer.headers["Server-Timing"]
                    assert int(answer.headers["Age"]) <= 2
        told = eventually_reported(first, lambda numbers: numbers["hits"] >= seen["HIT", "0"])
        assert told["refused"] == 0
        # The same question of another business goes to the database.
        with one_client_each(fleet, stranger.token, WORKERS) as strangers:
            answer = next(iter(strangers.values())).get(STATS)
            assert answer.headers["X-Cache"] == "MISS" and answer.body != made.body


def eventually_reported(client: Client, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    eventually("the workers reported", lambda: holds(second_level(client)), 40)
    return second_level(client)


def add_draft(database: FreshDatabase, tenant: str) -> None:
    """A writer that is none of the workers."""
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO jobs (tenant_id, job_number, title) "
            "SELECT id, gen_random_uuid(), 'new' FROM tenants WHERE slug = %s",
            (tenant,),
        )


@dataclass
class Ledger:
    """How many drafts alpha has, by whom, and every answer that does not fit."""

    committed: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    # (when, how many were committed by then)
    history: list[tuple[float, int]] = field(default_factory=list)
    begun: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def begin(self) -> None:
        with self.lock:
            self.begun += 1

    def end(self) -> None:
        with self.lock:
            self.committed += 1
            self.history.append((time.monotonic(), self.committed))

    def least(self, asked: float) -> int:
        """Return the number that an answer to a request of that moment must contain."""
        with self.lock:
            known = [number for at, number in self.history if at <= asked - OLDEST]
            return known[-1] if known else self.history[0][1]

    def note(self, answer: Any, fault: str, took: float) -> None:
        with self.lock:
            self.answers[answer.headers.get("X-Cache", str(answer.status))] += 1
            self.slowest = max(self.slowest, took)
            if fault:
                self.wrong.append(fault)


class Load:
    """Readers of two businesses and two writers, one of them by way of a worker, for the length of a block."""

    def __init__(self, fleet: Gunicorn, data: FreshDatabase) -> None:
        self.fleet, self.data = fleet, data
        self.alpha, self.beta = people_of(data)[:2]
        self.enough = threading.Event()
        client = fleet.client(self.alpha.token)
        start = client.get(STATS).json["jobs"]["draft"]
        self.ledger = Ledger(start, history=[(time.monotonic() - OLDEST, start)], begun=start)
        self.others_drafts = fleet.client(self.beta.token).get(STATS).json["jobs"]["draft"]

    @contextmanager
    def running(self) -> Iterator[Ledger]:
        work = [self.read_alpha] * 5 + [self.read_beta] + [self.write_by_api, self.write_by_psql]
        threads = [threading.Thread(target=self.until_enough, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield self.ledger
        finally:
            self.enough.set()
            for thread in threads:
                thread.join()

    def until_enough(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as fault:  # an error of a thread is an error of the test
            self.ledger.wrong.append(repr(fault))

    def read_alpha(self) -> None:
        client = self.fleet.client(self.alpha.token)
        while not self.enough.is_set():
            least, asked = self.ledger.least(time.monotonic()), time.monotonic()
            self.judge(client.get(STATS), asked, least)
        client.close()

    def judge(self, answer: Any, asked: float, least: int) -> None:
        fault = ""
        if answer.status != 200:
            fault = f"{answer.status} {answer.body[:200]!r}"
        else:
            drafts = answer.json["jobs"]["draft"]
            if not least <= drafts <= self.ledger.begun:
                fault = f"{drafts} drafts, not {least} to {self.ledger.begun} ({answer.headers['X-Cache']})"
        self.ledger.note(answer, fault, time.monotonic() - asked)

    def read_beta(self) -> None:
        client = self.fleet.client(self.beta.token)
        while not self.enough.is_set():
            asked = time.monotonic()
            answer = client.get(STATS)
            right = answer.status == 200 and answer.json["jobs"]["draft"] == self.others_drafts
            self.ledger.note(
                answer, "" if right else f"beta got {answer.body[:200]!r}", time.monotonic() - asked
            )
        client.close()

    def write_by_api(self) -> None:
        """The only one who makes active jobs, on one connection and so by one worker: it sees each at once."""
        client = self.fleet.client(self.alpha.token)
        expected = client.get(STATS).json["jobs"]["active"]
        while not self.enough.wait(0.1):
            assert client.post("/api/jobs", {"title": "new", "status": "active"}).status == 201
            expected += 1
            asked = time.monotonic()
            answer = client.get(STATS)
            active = answer.json["jobs"]["active"] if answer.status == 200 else None
            fault = "" if active == expected else f"{active} active after its own write, not {expected}"
            self.ledger.note(answer, fault, time.monotonic() - asked)
        client.close()

    def write_by_psql(self) -> None:
        while not self.enough.wait(0.13):
            self.ledger.begin()
            add_draft(self.data, "alpha")
            self.ledger.end()


def harm(redis: RedisServer, chance: random.Random, seconds: float) -> Counter[str]:
    """Do to a server whatever may happen to one, over and over."""
    done: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    deeds = ["kill", "freeze", "flush", "poison", "full"]
    while time.monotonic() < ends or len(done) < len(deeds):
        deed = deeds[sum(done.values()) % len(deeds)]
        done[deed] += 1
        if deed == "kill":
            redis.kill()
            time.sleep(chance.uniform(0.2, 0.6))
            redis.start()
        elif deed == "freeze":
            redis.freeze()
            time.sleep(chance.uniform(0.2, 0.8))
            redis.thaw()
        elif deed == "flush":
            redis.say("FLUSHALL")
        elif deed == "full":
            redis.say("CONFIG", "SET", "maxmemory", "1")
            time.sleep(0.3)
            redis.say("CONFIG", "SET", "maxmemory", "0")
        else:
            for name in redis.names():
                redis.say("COPY", chance.choice(redis.names() or [name]), name, "REPLACE")
        time.sleep(chance.uniform(0.2, 0.7))
    return done


@pytest.mark.parametrize("seconds", [5.0, pytest.param(90.0, marks=pytest.mark.slow)])
def test_killed_frozen_emptied_poisoned_and_full_under_load_nobody_notices(
    fleet: Gunicorn, data: FreshDatabase, own_redis: RedisServer, seconds: float
) -> None:
    load = Load(fleet, data)
    client = fleet.client(load.alpha.token)
    with load.running() as ledger:
        before = eventually_reported(client, lambda told: told["saved"] > 0)
        done = harm(own_redis, random.Random(3), seconds)
        # gunicorn has closed the connection that asked for nothing so long.
        client = fleet.client(load.alpha.token)
        eventually("all are up again", lambda: second_level(client)["state"] == "up", 20)
        again = second_level(client)
        after = eventually_reported(client, lambda told: told["saved"] > again["saved"] + 5)
    # While two write without a pause hardly any body outlives its making, so who is to find one waits until they rest.
    with one_client_each(fleet, load.alpha.token, WORKERS) as clients:
        first, *others = clients.values()
        eventually("one finds what another made", lambda: made_by_another(first, others), 20)
    print(f"\n{dict(done)}; {dict(ledger.answers)}; slowest {ledger.slowest * 1000:.0f} ms; {after}")
    assert ledger.wrong == []
    assert ledger.answers.keys() <= {"HIT", "MISS"}, "nor was anything stale"
    assert ledger.answers["MISS"] > 20 and ledger.committed - ledger.history[0][1] > 20
    assert after["errors"] > before["errors"], "it was away while it was asked"
