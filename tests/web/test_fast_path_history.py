"""After any history, the fast path and the slow path give the same answer."""

from __future__ import annotations

import json
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from opsboard.auth.revocations import STALE_AFTER
from tests.application import Application
from tests.web.ways import Ways, bearer, comparable, cookie

PATHS = (
    "/api/dashboard/stats", "/api/dashboard/recent-jobs?limit=2", "/api/dashboard/recent-jobs?limit=%32",
    "/api/dashboard/chart/jobs-by-status",
)  # fmt: skip
USERS = st.sampled_from([("admin", "alpha"), ("operator", "alpha"), ("operator", "beta")])
EVENTS = st.one_of(
    st.tuples(st.just("sign_in"), USERS),
    st.tuples(st.just("sign_out"), st.integers(0, 9)),  # which of the tokens handed out so far
    st.tuples(st.just("write"), USERS),
    st.tuples(st.just("clear")),
    st.tuples(st.just("block"), USERS),
    st.tuples(st.just("change_role"), USERS),
    st.tuples(st.just("beat")),
    st.tuples(
        st.just("advance"),
        st.sampled_from([0.9, 1.1, 31.0, 130.0, 50_000.0]),
        st.sampled_from([True, True, False]),
    ),
)
QUESTIONS = st.tuples(
    st.sampled_from([bearer, bearer, cookie]),
    st.sampled_from(
        [{}, {"If-None-Match": "*"}, {"Accept-Encoding": "gzip"}, {"X-Request-Id": "of-the-test"}]
    ),
    st.sampled_from(["GET", "GET", "HEAD"]),
)
HISTORIES = st.lists(st.tuples(EVENTS, QUESTIONS), min_size=1, max_size=20)

MONTH = 40 * 86_400.0


class History:
    """One application and its clock; `answered` is how many answers the fast path gave."""

    def __init__(self, app: Application) -> None:
        self.app, self.ways, self.now, self.answered = app, Ways(app), 0.0, 0
        app.client().get("/api/auth/me")  # starts the change feed, which from here on beats on demand
        services = app.services
        services.change_feed.pause()
        clocks = (services.sign_in.tokens, services.sign_in.revocations)
        # A token from the future is no token, so the clock starts a month ago.
        began = [part.clock() - MONTH for part in clocks]  # type: ignore[attr-defined]
        for part, start in zip(clocks, began, strict=True):
            part.clock = lambda start=start: start + self.now  # type: ignore[attr-defined]
        services.store.clock = lambda: self.now
        services.sign_in.revocations.monotonic = services.store.clock
        subscribers = services.change_feed.handlers
        subscribers.mark_current = lambda asked: services.sign_in.revocations.mark_current()  # type: ignore[method-assign]
        services.store.in_sync = lambda: self.now - self.heard_at <= STALE_AFTER
        self.tokens: list[str] = []
        self.begin()

    def begin(self) -> None:
        """A new day, with everybody as seeded; the fast path knows what it knew."""
        self.now = 0.0
        self.clear()
        self.execute("UPDATE users SET is_active = true WHERE NOT is_active AND password_hash IS NOT NULL")
        self.execute("UPDATE users SET role = split_part(email, '@', 1) WHERE password_hash IS NOT NULL")
        self.beat()
        self.tokens = []
        self.sign_in(("manager", "alpha"))

    def execute(self, statement: str, *arguments: Any) -> None:
        connection = psycopg2.connect(self.app.database.superuser_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
        connection.close()

    def everybody_asks(self, credentials: Any, more: dict[str, str], method: str) -> None:
        """Every token handed out so far, ended or not, asks for everything."""
        for token in self.tokens:
            for path in PATHS:
                self.ask(path, {**credentials(token), **more}, method)

    def ask(self, path: str, headers: dict[str, str], method: str = "GET") -> None:
        before = self.ways.asked
        first = self.ways.ask(path, method, headers=headers)
        short = self.ways.asked == before
        self.answered += short
        second = self.ways.ask_slow(path, method, headers=headers)
        if short:
            assert comparable(first) == comparable(second)
        else:
            assert (first.status_code, without_id(first)) == (second.status_code, without_id(second))

    def sign_in(self, user: tuple[str, str]) -> None:
        role, slug = user
        body = {"email": f"{role}@{slug}.example", "password": "correct horse battery"}
        answer = self.ways.ask("/api/auth/login", "POST", json=body)
        if answer.status_code == 200:
            self.tokens.append(json.loads(answer.data)["access_token"])

    def sign_out(self, number: int) -> None:
        self.ways.ask("/api/auth/logout", "POST", headers=bearer(self.tokens[number % len(self.tokens)]))

    def write(self, user: tuple[str, str]) -> None:
        tenant = self.app.alpha.id if user[1] == "alpha" else self.app.beta.id
        self.execute(
            "INSERT INTO jobs (tenant_id, job_number, title) VALUES (%s, gen_random_uuid(), 'x')", tenant
        )
        self.app.services.store.bump(tenant, {"jobs"})

    def clear(self) -> None:
        self.app.services.store.clear()

    def block(self, user: tuple[str, str]) -> None:
        self.execute("UPDATE users SET is_active = false WHERE email = %s", f"{user[0]}@{user[1]}.example")

    def change_role(self, user: tuple[str, str]) -> None:
        self.execute("UPDATE users SET role = 'manager' WHERE email = %s", f"{user[0]}@{user[1]}.example")

    def beat(self) -> None:
        self.app.services.change_feed.poll()
        self.heard_at = self.now

    def advance(self, seconds: float, heard: bool) -> None:
        """Time goes by; unless the change feed was `heard` meanwhile, the worker may count as stale from here on."""
        self.now += seconds
        if heard:
            self.beat()


def without_id(answer: TestResponse) -> Any:
    if not (answer.mimetype or "").endswith("problem+json") or not answer.data:
        return answer.data
    return {**json.loads(answer.data), "request_id": None}


@pytest.fixture
def history(own_app: Application) -> History:
    return History(own_app)


@pytest.mark.parametrize("examples", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_any_history_gives_one_answer_on_both_ways(history: History, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=HISTORIES)
    def live_through(steps: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
        history.begin()
        for (name, *arguments), questions in steps:
            getattr(history, name)(*arguments)
            history.everybody_asks(*questions)

    live_through()
    assert history.answered > examples, "the slow path was compared with itself"


def test_the_histories_above_do_ask_the_fast_path(history: History) -> None:
    """Or they would compare the slow path with itself."""
    headers = bearer(history.tokens[0])
    for _ in range(3):
        history.ask(PATHS[0], headers)
    assert history.answered == 2
    history.advance(2.5, heard=False)
    history.ask(PATHS[0], headers)
    assert history.answered == 2, "stale"
    history.beat()
    history.ask(PATHS[0], headers)
    assert history.answered == 3
