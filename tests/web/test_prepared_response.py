"""A prepared response is repeated without asking, until a change is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opsboard.cache import Body, Key, Store
from tests.application import Application
from tests.web.test_cached_routes import CACHED
from tests.web.ways import Ways, bearer

STATS = "/api/dashboard/stats"


class Proofs:
    """Counts what the fast path asks of the store; `after` happens right after the store has said it."""

    def __init__(self, store: Store) -> None:
        self.asked = 0
        self.after: Callable[[], None] = lambda: None
        self._peek = store.peek
        store.peek = self.peek  # type: ignore[method-assign]

    def peek(self, key: Key) -> Any:
        self.asked += 1
        found = self._peek(key)
        self.after()
        return found


@pytest.fixture
def ways(own_app: Application) -> Ways:
    """With a change feed that beats no more, and is not needed."""
    ways = Ways(own_app)
    own_app.client().get(STATS)
    own_app.services.change_feed.pause()
    own_app.services.sign_in.revocations.mark_current(float("inf"))
    own_app.services.store.in_sync = lambda: True
    return ways


def test_ten_polls_are_one_proof_and_ten_hits(ways: Ways) -> None:
    who, proofs = bearer(ways.app.token()), Proofs(ways.app.services.store)
    etag = ways.ask(STATS, headers=who).headers["ETag"]
    before = ways.app.services.store.stats()["hits"]
    answers = {ways.ask_fast(STATS, headers=who).data for _ in range(10)}
    assert (len(answers), proofs.asked) == (1, 1)
    polls = [ways.ask_fast(STATS, headers={**who, "If-None-Match": etag}) for _ in range(10)]
    assert {(poll.status_code, poll.data) for poll in polls} == {(304, b"")}
    assert proofs.asked == 2
    assert ways.app.services.store.stats()["hits"] == before + 20


def test_any_change_asks_for_a_new_proof_and_one_is_enough(ways: Ways) -> None:
    who, proofs = bearer(ways.app.token()), Proofs(ways.app.services.store)
    ways.ask(STATS, headers=who)
    ways.ask_fast(STATS, headers=who)
    for change in (
        lambda: ways.app.services.store.bump(ways.app.beta.id, {"jobs"}),
        lambda: ways.app.services.sign_in.revocations.add(1, 99, "another token", None, 9e9),
        lambda: ways.app.services.store.clear("elsewhere"),
    ):
        change()
        before = proofs.asked
        for _ in range(3):
            ways.ask_fast(STATS, headers=who)
        assert proofs.asked == before + 1


def test_a_change_right_after_the_proof_ends_it(ways: Ways) -> None:
    who, proofs = bearer(ways.app.token()), Proofs(ways.app.services.store)
    ways.ask(STATS, headers=who)
    proofs.after = lambda: ways.app.services.store.bump(ways.app.alpha.id, {"jobs"})
    ways.ask_fast(STATS, headers=who)
    answer = ways.goes_long(STATS, headers=who)
    assert answer is not None and answer.headers["X-Cache"] == "MISS"


def test_what_the_cache_let_go_is_gone(ways: Ways) -> None:
    who, store = bearer(ways.app.token()), ways.app.services.store
    ways.ask(STATS, headers=who)
    ways.ask_fast(STATS, headers=who)
    (prepared,) = [
        remembered.prepared
        for remembered in ways.fast_path.remembered._requests.values()
        if remembered.prepared
    ]
    assert prepared is not None and prepared.body() is not None
    store._entries.max_entries = 1
    ways.ask(CACHED[1], headers=who)
    assert prepared.body() is None
    answer = ways.goes_long(STATS, headers=who)
    assert answer is not None and answer.headers["X-Cache"] == "MISS"


def test_what_is_given_again_counts_as_used_when_room_is_made() -> None:
    store = Store(2, 1 << 20)
    old, young = Key(1, "admin", 1, "old"), Key(1, "admin", 1, "young")
    for key in (old, young):
        store.get_or_load(key, 30, frozenset(), lambda: Body(b"x"))
    store.note_repeat(old)
    store.get_or_load(Key(1, "admin", 1, "new"), 30, frozenset(), lambda: Body(b"x"))
    assert store.peek(young) is None
    assert store.peek(old) is not None
    store.note_repeat(young)  # left already: counted all the same
    assert store.stats()["hits"] == 3
