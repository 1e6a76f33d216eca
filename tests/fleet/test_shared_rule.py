"""Several workers on one real Postgres and one real Redis: none is given less than it has heard."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.application import Subscribers
from opsboard.auth.revocations import Revocations
from opsboard.cache import Body, Key, Outcome, Store
from opsboard.cache.envelope import Envelope
from opsboard.cache.horizon import Horizon
from opsboard.cache.link import Link
from opsboard.cache.shared import SharedCache
from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.fleet.change_feed import ChangeFeed
from opsboard.fleet.maintenance import Maintenance
from tests.application import Application
from tests.cache.sharing import KEY_OF_SEALS, opened, patient
from tests.redis_servers import RedisServer

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "commit", "rollback"]), st.integers(0, 2)),
        st.tuples(st.sampled_from(["beat", "ask", "ask", "ask", "write here", "clear"]), st.integers(0, 2)),
    ),
    max_size=50,
)
met: Counter[str] = Counter()


@pytest.fixture(scope="module")
def link(redis_of_session: RedisServer) -> Iterator[Link]:
    with patient():
        link = opened(Link(redis_of_session.url))
        yield link
        link.stop()


class Worker:
    """A store and a change feed that polls on demand."""

    def __init__(self, app: Application, link: Link, namespace: str) -> None:
        self.tenant = app.alpha.id
        self.pool = Pool(0, 1, app.database.app_url, timeout=5.0)
        self.shared = SharedCache(link, Envelope(KEY_OF_SEALS, namespace), Horizon())
        self.store = Store(100, 10**6, shared=self.shared)
        subscribers = Subscribers(self.store, Revocations(), Maintenance(Database(self.pool, 1.0)))
        self.change_feed = ChangeFeed(Database(self.pool, 5.0), 60.0, subscribers, lambda: {})
        self.reader = psycopg2.connect(app.database.superuser_url)
        self.reader.autocommit = True
        self.least: set[str] = set()
        self.loads = 0
        self.change_feed.poll()

    def load(self) -> Body:
        self.loads += 1
        with self.reader.cursor() as cursor:
            cursor.execute("SELECT name FROM machines WHERE tenant_id = %s", (self.tenant,))
            names = sorted(name for (name,) in cursor.fetchall())
        return Body(json.dumps(names).encode(), frozenset({"machines"}))

    def ask(self) -> set[str]:
        key = Key(self.tenant, "admin", None, "machines.list_machines")
        loads = self.loads
        found = self.store.get_or_load(key, 300.0, frozenset(), self.load)
        assert (found.outcome is Outcome.MISS) == (self.loads > loads)
        return set(json.loads(found.body.identity))

    def close(self) -> None:
        self.pool.closeall()
        self.reader.close()


def add(cursor: Any, tenant: int) -> str:
    name = uuid.uuid4().hex
    cursor.execute("INSERT INTO machines (tenant_id, name) VALUES (%s, %s)", (tenant, name))
    return name


def play(app: Application, link: Link, actions: list[tuple[str, int]]) -> None:
    committed: set[str] = set()
    with ExitStack() as stack:
        namespace = uuid.uuid4().hex
        workers = [Worker(app, link, namespace) for _ in range(3)]
        for worker in workers:
            stack.callback(worker.close)
        writers = [
            stack.enter_context(closing(psycopg2.connect(app.database.superuser_url))) for _ in range(3)
        ]
        open_names: list[set[str]] = [set(), set(), set()]
        for action, number in actions:
            worker, writer = workers[number], writers[number]
            if action == "write":
                open_names[number].add(add(writer.cursor(), app.alpha.id))
            elif action == "commit":
                writer.commit()
                committed |= open_names[number]
                open_names[number] = set()
            elif action == "rollback":
                writer.rollback()
                open_names[number] = set()
            elif action == "write here":
                with worker.reader.cursor() as cursor:
                    name = add(cursor, app.alpha.id)
                worker.store.bump(app.alpha.id, {"machines"})
                committed.add(name)
                worker.least.add(name)
            elif action == "clear":
                worker.change_feed.order_clear(worker.change_feed.database, "machines")
                worker.least |= committed
            elif action == "beat":
                worker.change_feed.poll()
                worker.least = set(committed)
            else:
                given = worker.ask()
                assert worker.least <= given, "less than this worker has heard of"
        for worker in workers:
            worker.change_feed.poll()
            assert committed <= worker.ask()
            told = worker.shared.statistics()
            met.update({name: told[name] for name in ("hits", "outdated")})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ACTIONS)
def some(app: Application, link: Link, actions: list[tuple[str, int]]) -> None:
    play(app, link, actions)


@settings(max_examples=1500, deadline=None)
@given(ACTIONS)
def many(app: Application, link: Link, actions: list[tuple[str, int]]) -> None:
    play(app, link, actions)


@pytest.mark.parametrize("examples", ["some", pytest.param("many", marks=pytest.mark.slow)])
def test_in_any_order_of_transactions_and_beats_no_worker_is_given_less_than_it_has_heard(
    own_app: Application, link: Link, examples: str
) -> None:
    met.clear()
    (some if examples == "some" else many)(own_app, link)
    assert met["hits"] > 20 and met["outdated"] > 5, met


def test_clears_truncations_and_late_beginners_leave_shared_bodies_behind(
    own_app: Application, link: Link
) -> None:
    with ExitStack() as stack:
        namespace = uuid.uuid4().hex

        def begin() -> Worker:
            worker = Worker(own_app, link, namespace)
            stack.callback(worker.close)
            return worker

        one, other = begin(), begin()
        one.change_feed.poll()
        one.ask()
        other.ask()
        assert (one.loads, other.loads) == (1, 0), "shared"
        one.change_feed.order_clear(one.change_feed.database, "machines")
        one.ask()
        assert one.loads == 2, "its own order counts at once"
        for worker in (one, other):
            worker.change_feed.poll()
        one.ask()
        other.ask()
        assert (one.loads, other.loads) == (3, 0), "shared again"
        with other.reader.cursor() as cursor:
            cursor.execute("TRUNCATE notifications")
        other.change_feed.poll()
        other.ask()
        assert other.loads == 1, "after a TRUNCATE nothing from before"
        with other.reader.cursor() as cursor:
            add(cursor, own_app.alpha.id)
            cursor.execute("TRUNCATE changes")
        late = begin()
        late.ask()
        assert late.loads == 1, "nobody can tell it what changed before it began"
