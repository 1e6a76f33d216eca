"""The second level: what it gives, and that nothing that happens to it, or lies in it, does a caller harm."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opsboard.cache import Body, Key, Outcome, Store, link, wire
from opsboard.cache.envelope import LARGEST
from opsboard.cache.link import Disconnected, Link
from tests.cache.sharing import FeedStore, Transactions, opened, patient, shared_cache, wait_until
from tests.cache.stage import Clock
from tests.redis_servers import RedisServer, running_redis

JOBS = frozenset({"jobs"})
KEY = Key(1, "admin", None, "dashboard.stats")


class Workers:
    """Several on one Redis and one database; each hears of each change at once."""

    def __init__(self, url: str, clock: Clock, number: int = 2, namespace: str = "shared") -> None:
        transactions = Transactions()
        self.links = [Link(url) for _ in range(number)]
        self.stores = [
            FeedStore(shared_cache(each, clock, namespace), clock, transactions) for each in self.links
        ]

    def change(self) -> None:
        xid = self.stores[0].transactions.commit()
        for store in self.stores:
            store.listen()
            store.apply_changes(1, {"jobs": xid})

    def stop(self) -> None:
        for each in self.links:
            each.stop()


@pytest.fixture
def workers(own_redis: RedisServer, clock: Clock) -> Iterator[Workers]:
    with patient():
        workers = Workers(own_redis.url, clock)
        for each in workers.links:
            opened(each)
        yield workers
        workers.stop()


def never() -> Body:
    pytest.fail("loaded, though another worker has made it")


def load(store: Store, content: bytes = b"made", ttl: float = 60.0) -> Outcome:
    return store.get_or_load(KEY, ttl, JOBS, lambda: Body(content, JOBS)).outcome


def numbers(store: FeedStore) -> dict:
    return store.shared.statistics()


def test_what_one_worker_made_is_a_hit_in_another_with_its_true_age(workers: Workers, clock: Clock) -> None:
    one, other = workers.stores
    assert load(one) is Outcome.MISS
    clock.advance(20)
    found = other.get_or_load(KEY, 60, JOBS, never)
    assert (found.body.identity, found.outcome, found.age) == (b"made", Outcome.HIT, 20)
    clock.advance(39)
    assert other.peek(KEY) is not None, "kept there too from now on"
    clock.advance(1)
    assert other.peek(KEY) is None, "and no longer than its time"
    stats = other.stats()
    assert (stats["hits"], stats["misses"], stats["loads"]) == (2, 0, 0)
    assert (numbers(one)["saved"], numbers(other)["hits"]) == (1, 1)


def test_a_change_outdates_it_for_everybody(workers: Workers) -> None:
    one, other = workers.stores
    load(one, b"old")
    workers.change()
    assert load(other, b"new") is Outcome.MISS
    assert numbers(other)["outdated"] == 1
    found = one.get_or_load(KEY, 60, JOBS, never)
    assert (found.outcome, found.body.identity) == (Outcome.HIT, b"new")


def test_a_body_that_a_change_overtook_is_not_saved(workers: Workers) -> None:
    one, other = workers.stores

    def slow() -> Body:
        workers.change()
        return Body(b"old", JOBS)

    one.get_or_load(KEY, 60, JOBS, slow)
    assert (numbers(one)["saved"], numbers(one)["not_saved"]) == (0, 1)
    assert load(other, b"new") is Outcome.MISS


def test_own_writes_are_seen_at_once(workers: Workers, clock: Clock) -> None:
    one, other = workers.stores
    load(other, b"old")
    # Not heard yet, by anybody.
    one.shared.horizon.record_write(1, {"jobs"})
    assert load(one, b"with the write") is Outcome.MISS
    assert numbers(one)["saved"] == 0, "its label would not tell of the write"


def test_whoever_distrusts_what_it_heard_does_not_use_the_second_level(
    own_redis: RedisServer, clock: Clock
) -> None:
    each = opened(Link(own_redis.url))
    shared = shared_cache(each, clock)
    FeedStore(shared, clock)
    stale = Store(100, 10**6, clock, shared=shared, in_sync=lambda: False)
    assert load(stale) is load(stale) is Outcome.MISS
    assert shared.statistics()["commands"] == 0
    each.stop()


def test_waiters_share_what_came_from_elsewhere(workers: Workers, clock: Clock) -> None:
    one, other = workers.stores
    load(one)
    clock.advance(5)
    asked, go_on = threading.Event(), threading.Event()
    find = other.shared.find

    def slow_find(*arguments: object) -> object:
        asked.set()
        assert go_on.wait(10)
        return find(*arguments)  # type: ignore[arg-type]

    other.shared.find = slow_find  # type: ignore[method-assign,assignment]
    found: list = []
    threads = [
        threading.Thread(target=lambda: found.append(other.get_or_load(KEY, 60, JOBS, never)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert asked.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert [(each.outcome, each.age) for each in found] == [(Outcome.HIT, 5)] * 4
    assert (other.stats()["hits"], other.stats()["misses"]) == (4, 0)


def test_everything_there_has_an_end_and_a_name_of_ours(workers: Workers, own_redis: RedisServer) -> None:
    for ttl in (10.0, 30.0, 300.0):
        workers.stores[0].get_or_load(KEY._replace(endpoint=f"x.{ttl}"), ttl, JOBS, lambda: Body(b"x", JOBS))
    names = own_redis.names()
    assert len(names) == 3
    left = [int(own_redis.say("PTTL", name).strip(b":\r\n")) for name in names]
    assert all(0 < ms <= 300_000 for ms in left)
    assert min(left) <= 10_000 < 250_000 < max(left)


@pytest.mark.parametrize("damage", ["flipped", "cut off", "garbage", "a list", "huge", "of another key"])
def test_values_that_are_not_ours_are_misses(workers: Workers, own_redis: RedisServer, damage: str) -> None:
    one, other = workers.stores
    load(one)
    (name,) = own_redis.names()
    value = own_redis.say("GET", name).partition(b"\r\n")[2][:-2]
    if damage == "flipped":
        own_redis.say("SET", name, value[:50] + bytes([value[50] ^ 1]) + value[51:])
    elif damage == "cut off":
        own_redis.say("SET", name, value[:40])
    elif damage == "garbage":
        own_redis.say("SET", name, os.urandom(500))
    elif damage == "a list":
        own_redis.say("DEL", name)
        own_redis.say("LPUSH", name, value)
    elif damage == "huge":
        own_redis.say("SETRANGE", name, str(4 * LARGEST), value)
    else:
        one.get_or_load(KEY._replace(tenant_id=2), 60, JOBS, lambda: Body(b"tenant 2", JOBS))
        (neighbour,) = set(own_redis.names()) - {name}
        own_redis.say("COPY", neighbour, name, "REPLACE")
    lengths: list[int] = []
    ask = other.shared.link.ask

    def measured(*words: object) -> object:
        answer = ask(*words)
        lengths.append(len(answer or b""))
        return answer

    other.shared.link.ask = measured  # type: ignore[method-assign]
    found = other.get_or_load(KEY, 60, JOBS, lambda: Body(b"loaded", JOBS))
    assert max(lengths) <= LARGEST + 1, "never more is read than would have been put there"
    assert (found.outcome, found.body.identity) == (Outcome.MISS, b"loaded")
    told = numbers(other)
    assert told["refused"] + told["errors"] >= 1 and told["state"] == "up"


def reason_of(each: Link) -> str | None:
    """Once the first attempt is over."""
    each.start()
    wait_until(lambda: each.reason != link.NOT_YET, "the first attempt is over")
    return each.reason


@contextmanager
def black_hole() -> Iterator[str]:
    """Takes connections and says nothing."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_each_way_to_be_away_is_told_in_words_and_costs_a_caller_nothing(
    own_redis: RedisServer, clock: Clock, tmp_path: Path
) -> None:
    with black_hole() as silent, running_redis("--requirepass", "right") as locked:
        for url, reason in {
            f"unix://{tmp_path}/nothing": "cannot be reached",
            "redis://:hidden@127.0.0.1:1/0": "cannot be reached",
            silent: "no answer in time",
            f"unix://:hidden@{locked.socket}": "name or password refused",
            locked.url: "name or password refused",
        }.items():
            each = Link(url)
            store = FeedStore(shared_cache(each, clock), clock)
            assert load(store) is Outcome.MISS, "also while nothing is known of it"
            assert reason_of(each) == reason, url
            workers_told = store.shared.statistics()
            assert workers_told["state"] == "down"
            assert "hidden" not in repr(workers_told) and "127.0.0.1" not in repr(workers_told)
            assert workers_told["commands"] == 0, "no caller asked anything"
            each.stop()


def test_a_frozen_server_costs_one_patience_and_then_nothing(
    workers: Workers, own_redis: RedisServer
) -> None:
    one, _ = workers.stores
    load(one)
    own_redis.freeze()
    workers.change()
    assert load(one) is Outcome.MISS
    assert numbers(one)["state"] == "down"
    asked = numbers(one)["commands"]
    for _ in range(20):
        workers.change()
        assert load(one) is Outcome.MISS
    assert numbers(one)["commands"] == asked, "it is known to be away: nobody asks"
    assert numbers(one)["skipped"] >= 20
    own_redis.thaw()
    wait_until(lambda: workers.links[0].reason is None, "it comes back by itself")


def test_killed_and_started_again_empty_it_is_used_again(workers: Workers, own_redis: RedisServer) -> None:
    one, other = workers.stores
    load(one)
    own_redis.kill()
    workers.change()
    assert load(one, b"without") is Outcome.MISS
    assert load(other, b"without") is Outcome.MISS
    own_redis.start()
    wait_until(lambda: all(each.reason is None for each in workers.links), "it is back")
    workers.change()
    assert load(one, b"with") is Outcome.MISS
    assert other.get_or_load(KEY, 60, JOBS, never).body.identity == b"with"


def test_a_full_server_is_read_and_not_asked_to_save_at_every_turn(
    workers: Workers, own_redis: RedisServer
) -> None:
    one, other = workers.stores
    load(one)
    own_redis.say("CONFIG", "SET", "maxmemory", "1")
    assert other.get_or_load(KEY, 60, JOBS, never).outcome is Outcome.HIT
    for number in range(5):
        key = KEY._replace(user_id=number)
        assert one.get_or_load(key, 60, JOBS, lambda: Body(b"x", JOBS)).outcome is Outcome.MISS
    told = numbers(one)
    assert (told["state"], told["errors"], told["not_saved"]) == ("up", 1, 5)
    assert "OutOfMemory" in told["reason"]


def test_a_server_that_is_no_redis_is_away(clock: Clock) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n$-7\r\n")

        threading.Thread(target=answer, daemon=True).start()
        each = Link(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        assert reason_of(each) is not None
        each.stop()


def test_a_fork_has_connections_of_its_own(workers: Workers) -> None:
    before = workers.links[0].ask("CLIENT", "ID")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            mine = workers.links[0]
            mine.start()
            wait_until(lambda: mine.reason is None, "the child is up")
            os.write(writing, b"%d" % mine.ask("CLIENT", "ID"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    told = os.read(reading, 100)
    os.close(reading)
    assert told and int(told) != before
    assert workers.links[0].ask("CLIENT", "ID") == before


def test_threads_never_get_each_others_answers_while_connections_die(
    workers: Workers, own_redis: RedisServer
) -> None:
    mine, enough, faults = workers.links[0], threading.Event(), []

    def ask(number: int) -> None:
        right = 0
        while not enough.is_set() or right == 0:
            word = f"{number}-{right}".encode()
            try:
                if mine.ask("ECHO", word) != word:
                    faults.append(word)
                right += 1
            except Disconnected:
                pass

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        wait_until(lambda: mine.reason is None, "up")
        own_redis.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    enough.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert faults == []


def test_what_was_lent_when_the_link_fell_is_closed_and_not_lent_again(workers: Workers) -> None:
    mine = workers.links[0]
    connection, life = mine._borrow()
    mine._fall(life, "of the test")
    wait_until(lambda: mine.reason is None, "it is up again")
    mine._give_back(connection, life, is_usable=True)
    assert connection not in mine._free and connection._sock is None
    assert mine._opened == 1


def test_rests_between_attempts_grow_and_have_jitter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    each = Link(f"unix://{tmp_path}/nothing")
    rests: list[float] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) >= 12

    each._stop.wait = rest  # type: ignore[method-assign,assignment]
    each.start()
    thread = each._thread
    assert thread is not None
    thread.join(10)
    assert all(0.5 * link.FIRST_REST <= rest <= 1.5 * link.LONGEST_REST for rest in rests)
    assert min(rests[-4:]) >= 0.5 * link.LONGEST_REST
    assert len({round(rest / link.LONGEST_REST, 3) for rest in rests[-4:]}) > 1


def test_waits_are_short_whatever_the_address_says() -> None:
    made = wire.connector(
        "redis://127.0.0.1:1/0?socket_timeout=60&socket_connect_timeout=60&health_check_interval=1"
    )()
    assert made.socket_timeout == wire.PATIENCE
    assert made.socket_connect_timeout == wire.CONNECT_TIMEOUT
    assert made.health_check_interval == 0
