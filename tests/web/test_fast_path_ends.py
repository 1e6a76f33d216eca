"""Events that end a token or a cached body end it for the fast path at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.web.test_cached_routes import CACHED
from tests.web.ways import Ways, bearer

STATS = "/api/dashboard/stats"


@pytest.fixture
def ways(own_app: Application) -> Ways:
    """With the change feed stopped: it beats when the test says so, and its memory counts as fresh meanwhile."""
    ways = Ways(own_app)
    own_app.client().get(STATS)
    own_app.services.change_feed.pause()
    own_app.services.sign_in.revocations.mark_current(math.inf)
    own_app.services.store.in_sync = lambda: True
    return ways


def warm(ways: Ways, token: str) -> None:
    for path in CACHED:
        ways.ask(path, headers=bearer(token))
        ways.ask_fast(path, headers=bearer(token))


def sign_out(ways: Ways, token: str) -> None:
    assert ways.ask("/api/auth/logout", "POST", headers=bearer(token)).status_code == 204


LIFE = 10  # seconds of a token; less than any cached body's


def expire(ways: Ways, token: str) -> None:
    ways.app.services.sign_in.tokens.clock = lambda: time.time() + LIFE + 1
    ways.app.services.store.clock = lambda: time.monotonic() + LIFE + 1


def ended_elsewhere(change: str) -> Callable[[Ways, str], None]:
    """Something another worker, or psql, does to the user; known here with the next beat."""

    def end(ways: Ways, token: str) -> None:
        connection = psycopg2.connect(ways.app.database.superuser_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE users SET {change} WHERE email = 'operator@alpha.example'")
        connection.close()
        ways.app.services.change_feed.poll()

    return end


@pytest.mark.parametrize(
    "end",
    [sign_out, expire, ended_elsewhere("is_active = false"), ended_elsewhere("role = 'manager'")],
    ids=["signed out", "expired", "blocked", "other role"],
)
def test_a_token_that_ended_is_refused_at_once(ways: Ways, end: Callable[[Ways, str], None]) -> None:
    ways.app.services.sign_in.tokens.ttl = LIFE
    token = ways.app.token("operator")
    warm(ways, token)
    end(ways, token)
    for path in CACHED:
        answer = ways.goes_long(path, headers=bearer(token))
        assert answer is not None and answer.status_code == 401


def test_a_deaf_worker_asks_the_database_about_every_token(ways: Ways) -> None:
    token = ways.app.token()
    warm(ways, token)
    revocations = ways.app.services.sign_in.revocations
    revocations.fresh_until = -math.inf
    answer = ways.goes_long(STATS, headers=bearer(token))
    assert answer is not None and (answer.status_code, answer.headers["X-Queries"]) == (200, "1")
    revocations.mark_current(math.inf)
    ways.ask_fast(STATS, headers=bearer(token))


def test_what_a_deaf_worker_keeps_is_not_served(ways: Ways) -> None:
    token = ways.app.token()
    warm(ways, token)
    ways.app.services.sign_in.revocations.fresh_until = -math.inf
    ways.app.services.store.in_sync = lambda: False
    answer = ways.goes_long(STATS, headers=bearer(token))
    assert answer is not None and (answer.status_code, answer.headers["X-Cache"]) == (200, "MISS")


def test_what_a_deaf_worker_answers_is_no_lesson(ways: Ways) -> None:
    token, revocations = ways.app.token(), ways.app.services.sign_in.revocations
    revocations.fresh_until = -math.inf
    ways.ask(STATS, headers=bearer(token))
    revocations.mark_current(math.inf)
    assert ways.goes_long(STATS, headers=bearer(token)) is not None
    ways.ask_fast(STATS, headers=bearer(token))


def clear(ways: Ways) -> None:
    ways.app.services.store.clear()


def bump(ways: Ways) -> None:
    ways.app.services.store.bump(ways.app.alpha.id, {"jobs"})


def write(ways: Ways) -> None:
    made = ways.ask("/api/jobs", "POST", headers=bearer(ways.app.token()), json={"title": "one more"})
    assert made.status_code == 201


def outlive(ways: Ways) -> None:
    late = time.monotonic() + 301
    ways.app.services.store.clock = lambda: late


@pytest.mark.parametrize("end", [clear, bump, write, outlive])
def test_a_body_that_is_no_longer_valid_is_made_anew(ways: Ways, end: Callable[[Ways], None]) -> None:
    token, elsewhere = ways.app.token(), ways.app.token("admin", ways.app.beta)
    warm(ways, token)
    warm(ways, elsewhere)
    end(ways)
    answer = ways.goes_long(STATS, headers=bearer(token))
    assert answer is not None and (answer.status_code, answer.headers["X-Cache"]) == (200, "MISS")
    ways.ask_fast(STATS, headers=bearer(token))
    if end in (bump, write):
        ways.ask_fast(STATS, headers=bearer(elsewhere))  # another tenant's tables are other tables


def test_a_tables_change_ends_only_what_was_read_from_it(ways: Ways) -> None:
    token = ways.app.token()
    warm(ways, token)
    ways.app.services.store.bump(ways.app.alpha.id, {"notifications"})
    for path in CACHED:
        ways.ask_fast(path, headers=bearer(token))


def test_a_body_ended_by_time_counts_one_miss_and_no_hit(ways: Ways) -> None:
    token = ways.app.token()
    warm(ways, token)
    before: dict[str, Any] = ways.app.services.store.stats()
    outlive(ways)
    ways.ask(STATS, headers=bearer(token))
    after: dict[str, Any] = ways.app.services.store.stats()
    names = ("hits", "misses", "loads", "expirations")
    assert [after[name] - before[name] for name in names[:3]] == [0, 1, 1]
    assert after["expirations"] > before["expirations"]


def test_what_no_longer_leads_to_an_answer_is_forgotten(ways: Ways) -> None:
    token = ways.app.token("operator")
    warm(ways, token)
    remembered = len(ways.fast_path.remembered)
    sign_out(ways, token)
    for path in CACHED:
        ways.ask(path, headers=bearer(token))
    assert len(ways.fast_path.remembered) == remembered - len(CACHED)
