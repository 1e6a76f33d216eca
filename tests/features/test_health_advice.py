"""The pool's health is judged by what a bigger pool would mend."""

from __future__ import annotations

from typing import Any

import pytest

from opsboard.config import load_config
from opsboard.features.health.advice import Advice, advise

POOL = {
    "pool_max": 10,
    "pool_size": 2,
    "pool_available": 2,
    "requests_waiting": 0,
    "requests_num": 100,
    "requests_queued": 0,
    "requests_wait_ms": 0,
    "requests_errors": 0,
    "connections_ms": 0,
}
SERVER = {"max_connections": 1000, "reserved_connections": 3, "connections": 5}


def judged(**pool: Any) -> Advice:
    return advise(load_config({}, None), POOL | pool, SERVER, 1, [])


def test_a_quiet_pool_is_healthy() -> None:
    assert (judged().status, judged().warnings) == ("healthy", [])


def test_a_first_request_that_waits_for_a_slow_server_to_open_a_connection_is_no_warning() -> None:
    advice = judged(requests_num=1, requests_queued=1, requests_wait_ms=900, connections_ms=890)
    assert (advice.status, advice.warnings) == ("healthy", [])


@pytest.mark.parametrize("connections_ms", [0, 2000])
def test_requests_that_wait_for_others_to_give_back_are_a_warning(connections_ms: int) -> None:
    advice = judged(requests_queued=10, requests_wait_ms=connections_ms + 1500, connections_ms=connections_ms)
    assert advice.status == "warning"
    assert advice.warnings == ["requests that had to wait for a connection waited 150 ms on average"]
    assert "DB_POOL_MAX_CONNECTIONS" in advice.recommendations[0]


SESSION = {
    "kind": "session", "pid": 7, "name": "psql", "user": "boss", "ours": False, "state": "idle in transaction",
    "xid": 900, "since": 1.0, "seconds": 61, "transactions_since": 20_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "session 7 (user boss, psql, idle in transaction) has kept a transaction open for 61 s: 20000 transac"),
        ({"seconds": 59}, None),
        ({"ours": True}, None),  # as an export may
        ({"ours": True, "seconds": 601}, "session 7"),
        ({"seconds": None, "transactions_since": 9_999}, None),
        ({"seconds": None}, "for an unknown time"),
        ({"kind": "prepared transaction", "name": "half"}, "prepared transaction 'half'"),
        ({"kind": "replication slot", "name": "gone", "state": "inactive"}, "replication slot 'gone' (inactive)"),
    ],
)  # fmt: skip
def test_what_keeps_vacuum_waiting_for_long_is_named(changed: dict[str, Any], words: str | None) -> None:
    server = {**SERVER, "dead_rows": 5, "oldest_transaction": {**SESSION, **changed}}
    told = advise(load_config({}, None), POOL, server, 1, [])
    assert [words in warning for warning in told.warnings] == ([True] if words else [])
    assert told.status == ("warning" if words else "healthy")
