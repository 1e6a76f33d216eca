"""Changes and clears against loads under way: who may still be served from them, and what is kept."""

from __future__ import annotations

import pytest

from opsboard.cache import Body, Key, Store
from tests.cache.stage import Stage

KEY = Key(1, "admin", None, "dashboard.stats")


def test_a_caller_after_a_change_does_not_join_a_load_from_before(stage: Stage, store: Store):
    old = stage.call(KEY, lambda: Body(b"old"))
    early = stage.call(KEY)
    store.bump(1, {"jobs"})

    late = stage.call(KEY, lambda: Body(b"new"))

    assert (early.state, late.state) == ("waiting", "loading")
    stage.land(late)
    stage.land(old)
    assert early.found.body.identity == b"old"
    assert late.found.body.identity == b"new"
    assert store.peek(KEY).body.identity == b"new", "the older load does not replace the younger"


def test_a_change_during_the_load_keeps_its_body_from_being_served_later(stage: Stage, store: Store):
    loader = stage.call(KEY, lambda: Body(b"old"))
    store.bump(1, {"jobs"})
    stage.land(loader)

    assert loader.found.body.identity == b"old"
    assert store.peek(KEY) is None
    assert store.stats()["total_entries"] == 0


def test_changes_elsewhere_do_not_disturb_a_load(stage: Stage, store: Store):
    loader = stage.call(KEY)
    store.bump(1, {"machines"})
    store.bump(2, {"jobs"})

    assert stage.call(KEY).state == "waiting"
    stage.land(loader)
    assert store.peek(KEY) is not None


def test_a_table_that_only_the_body_names_counts_too(stage: Stage, store: Store):
    body = Body(b"old", frozenset({"customers"}))
    loader = stage.call(KEY, lambda: body, tables=frozenset())
    store.bump(1, {"customers"})
    late = stage.call(KEY, lambda: Body(b"new", frozenset({"customers"})), tables=frozenset())
    assert late.state == "waiting"

    stage.land(loader)

    assert late.state == "loading", "it learned that the load it waited for had read a changed table"
    stage.land(late)
    assert late.found.body.identity == b"new"
    store.bump(1, {"customers"})
    assert store.peek(KEY) is None


def test_steady_changes_of_an_undeclared_table_do_not_keep_a_caller_waiting_for_ever(
    stage: Stage, store: Store
):
    def make() -> Body:
        return Body(b"{}", frozenset({"customers"}))

    loader, *waiters = [stage.call(KEY, make, tables=frozenset()) for _ in range(5)]
    store.bump(1, {"customers"})
    stage.land(loader)
    assert sorted([caller.state for caller in waiters]) == ["loading"] + ["waiting"] * 3
    store.bump(1, {"customers"})

    stage.land(next(caller for caller in waiters if caller.state == "loading"))

    assert [caller.state for caller in waiters] == ["done"] * 4, (
        "that load began after they came, so it will do"
    )


@pytest.mark.parametrize("clear", [{}, {"prefix": "get_dashboard"}, {"tenant_id": 1}])
def test_a_clear_keeps_a_load_under_way_from_being_kept_or_joined(stage: Stage, store: Store, clear: dict):
    loader = stage.call(KEY, lambda: Body(b"old"))
    waiter = stage.call(KEY)
    assert store.clear(**clear) == 0

    late = stage.call(KEY, lambda: Body(b"new"))
    stage.land(loader)

    assert waiter.found.body.identity == b"old"
    assert late.state == "loading"
    stage.land(late)
    assert store.peek(KEY).body.identity == b"new"


def test_a_clear_of_others_leaves_a_load_alone(stage: Stage, store: Store):
    loader = stage.call(KEY)
    store.clear(prefix="jobs")
    store.clear(tenant_id=2)
    store.clear(prefix="dashboard", tenant_id=2)

    assert stage.call(KEY).state == "waiting"
    stage.land(loader)
    assert store.peek(KEY) is not None
