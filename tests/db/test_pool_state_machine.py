"""A random walk: whatever requests do to a connection, in any order, the next checkout is like fresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server
from tests.db.session_state import CLEAN, CLIENT_ACTIONS, STATEMENTS, differences, fresh_picture


@pytest.fixture
def server(cluster: Cluster) -> Server:
    server = Server(cluster)
    server.rows(
        "DO $$ BEGIN CREATE ROLE opsboard_pool_other; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        " SELECT 1"
    )
    return server


class Sessions(RuleBasedStateMachine):
    """Random requests, each of which may do anything and is followed by a look at the next checkout."""

    server: Server
    fresh: dict[str, Any]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(1, 1, self.server.url)
        self.held: Any = None
        Sessions.steps -= 1  # an invariant is checked before the first step, too

    @invariant()
    def count(self) -> None:
        Sessions.steps += 1

    @precondition(lambda self: self.held is None)
    @rule()
    def check_out(self) -> None:
        self.held = self.pool.getconn()

    @precondition(lambda self: self.held is not None)
    @rule(statement=st.sampled_from(STATEMENTS))
    def execute(self, statement: str) -> None:
        try:
            self.held.cursor().execute(statement)
        except psycopg2.Error:
            return

    @precondition(lambda self: self.held is not None)
    @rule(statement=st.sampled_from(CLEAN))
    def run_clean(self, statement: str) -> None:
        try:
            self.held.run_clean(statement)
        except psycopg2.Error:
            return

    @precondition(lambda self: self.held is not None)
    @rule(action=st.sampled_from(CLIENT_ACTIONS))
    def act(self, action: Callable[[Any], Any]) -> None:
        try:
            action(self.held)
        except (psycopg2.Error, RuntimeError, TypeError):
            return

    @precondition(lambda self: self.held is not None)
    @rule(how=st.sampled_from(["give back", "raise", "forget", "reclaim"]))
    def check_in(self, how: str) -> None:
        if how == "give back":
            self.pool.putconn(self.held)
        elif how == "reclaim":
            assert self.pool.reclaim() == 1
        self.held = None  # "forget": garbage, with what the request left on it
        different = differences(self.pool, self.fresh)
        assert different == {}
        assert self.pool.reference_stats()["in_use"] == 0

    def teardown(self) -> None:
        self.held = None
        self.pool.closeall()


def run_sessions(server: Server, examples: int) -> int:
    """How many steps were taken."""
    Sessions.server, Sessions.fresh, Sessions.steps = server, fresh_picture(server.url), 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Sessions,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Sessions.steps


def test_next_checkout_equals_a_fresh_connection_after_anything(server: Server) -> None:
    assert run_sessions(server, 30) > 300


@pytest.mark.slow
def test_next_checkout_equals_a_fresh_connection_in_10_000_steps(server: Server) -> None:
    assert run_sessions(server, 500) > 10_000
