"""Remembered requests stay within their limits, and no user evicts those of others."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from typing import Any, cast

import pytest

from opsboard.auth.identity import Identity
from opsboard.auth.revocations import Revocations
from opsboard.auth.sign_in import SignIn
from opsboard.cache.key import Key, canonical
from opsboard.cache.store import Store
from opsboard.observability.tally import Tally
from opsboard.web.fast_path import FastPath
from opsboard.web.remembered_requests import REMEMBER, RememberedRequest, RememberedRequests, Request

PATH = "/api/dashboard/recent-jobs"


def who(user: int, tenant: int = 1, expires_at: float = 9e9) -> Identity:
    return Identity(tenant, user, "admin", f"token {user}", 1, expires_at)


def request(query: str, user: int = 1) -> Request:
    return PATH, query, "HTTP_AUTHORIZATION", user.to_bytes(16, "big"), "http"


def remembered(user: int = 1, tenant: int = 1, **more: Any) -> RememberedRequest:
    return RememberedRequest(who(user, tenant, **more), Key(tenant, "admin", user, "dashboard.recent_jobs"))


def test_one_user_pushes_out_only_their_own() -> None:
    memory = RememberedRequests(max_requests=1000, share=10)
    for user in range(2, 52):
        memory.add(request("", user), remembered(user))
    for number in range(5000):
        memory.add(request(f"limit={number}"), remembered())
    assert len(memory) == 50 + 10
    assert all(memory.find(request("", user)) for user in range(2, 52))
    assert memory.find(request("limit=4999"))


def test_users_of_one_number_in_two_tenants_are_two_users() -> None:
    memory = RememberedRequests(share=1)
    for tenant in (1, 2):
        memory.add(request("", tenant), remembered(1, tenant))
    assert len(memory) == 2


def test_what_was_used_stays_longer_than_what_was_not() -> None:
    memory = RememberedRequests(max_requests=100, share=10)
    for user in range(100):
        memory.add(request("", user), remembered(user))
    for user in range(0, 100, 2):
        found = memory.find(request("", user))
        assert found is not None
        found.used = True
    for user in range(100, 150):
        memory.add(request("", user), remembered(user))
    assert len(memory) == 100
    assert all(memory.find(request("", user)) for user in range(0, 100, 2))
    # And what was used once, long ago, goes in its turn.
    for user in range(200, 400):
        memory.add(request("", user), remembered(user))
    assert not any(memory.find(request("", user)) for user in range(100))


def test_the_bytes_are_bounded_too_and_a_very_long_request_is_not_learned() -> None:
    memory = RememberedRequests(max_bytes=100_000, share=1000)
    for number in range(1000):
        memory.add(request(f"{number:0900}"), remembered())
    assert 10 < len(memory) < 60 and memory.bytes <= 100_000
    memory.add(request("x" * 1001), remembered())
    assert memory.find(request("x" * 1001)) is None


def test_learning_again_and_forgetting_keep_the_books_right() -> None:
    memory = RememberedRequests()
    for _ in range(3):
        memory.add(request("limit=1"), remembered())
    one = memory.bytes
    memory.add(request("limit=2"), remembered())
    assert (len(memory), memory.bytes) == (2, 2 * one)
    for query in ("limit=1", "limit=2", "limit=2", "never seen"):
        memory.remove(request(query))
    assert (len(memory), memory.bytes, len(memory._users)) == (0, 0, 0)


def test_what_an_expired_token_asked_for_goes_within_a_minute_of_the_next_lesson() -> None:
    now = [1000.0]
    memory = RememberedRequests(clock=lambda: now[0])
    memory.add(request("", 1), remembered(1, expires_at=1030.0))
    memory.add(request("", 2), remembered(2, expires_at=5000.0))
    now[0] = 1061.0
    memory.add(request("", 3), remembered(3))
    assert memory.find(request("", 1)) is None
    assert memory.find(request("", 2)) and memory.find(request("", 3)) and len(memory) == 2


@pytest.mark.parametrize("number", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_any_number_of_distinct_query_strings_by_any_number_of_users_fits_the_memory(number: int) -> None:
    """Nothing is ever found here, so all go the slow path and teach the fast path something."""
    memory = RememberedRequests(max_requests=5000, max_bytes=4 << 20)
    fast_path = FastPath(slow_path, cast(SignIn, NobodyEnds()), Store(10, 1 << 20), Tally(), memory)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for at in range(number):
            ask(fast_path, f"limit={at}&{'x' * 200}", user=at % 1000)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(memory) <= 5000 and memory.bytes <= 4 << 20
    assert len(memory) > 1000
    assert used <= memory.bytes, "an entry is accounted for at more than it costs"


class NobodyEnds:
    revocations = Revocations()

    def is_valid_for(self, identity: Identity) -> bool:
        return True


def slow_path(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    user = int(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer "))
    wanted = {"limit": environ["QUERY_STRING"]}
    key = Key(1, "admin", user, "dashboard.recent_jobs", canonical(wanted))
    environ[REMEMBER] = RememberedRequest(Identity(1, user, "admin", f"a token's id {user}", 1, 9e9), key)
    start_response("200 OK", [])
    return []


def ask(fast_path: FastPath, query: str, user: int) -> None:
    environ = {
        "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "PATH_INFO": PATH, "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": f"Bearer {user}",
    }  # fmt: skip
    fast_path(environ, lambda status, headers: None)
