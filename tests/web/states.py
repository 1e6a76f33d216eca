"""One application with a clock in the test's hand, and the ways into each state an answer can be in."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest import mock

import psycopg2
from werkzeug.test import TestResponse

from opsboard.errors import DatabaseUnavailable
from tests.application import Application
from tests.web.ways import bearer

STATS = "/api/dashboard/stats"
RECENT = "/api/dashboard/recent-jobs"
TTL = {STATS: 30.0, RECENT: 60.0}
PATIENCE = 20.0
# The sources of the numbers in an admin's answer.
LAST_CHANGE = {
    STATS: "SELECT greatest("
    + ", ".join(
        f"(SELECT max(updated_at) FROM {table} WHERE tenant_id = %(tenant)s)"
        for table in ("jobs", "job_steps", "machines", "users")
    )
    + ")",
    RECENT: "SELECT (SELECT max(updated_at) FROM jobs WHERE tenant_id = %(tenant)s)",
}


class Scene:
    """One user who asks for one path; `made` is when, by the store's clock, the body was made that is kept."""

    def __init__(self, app: Application, path: str, ask: Callable[..., TestResponse], token: str) -> None:
        self.app, self.path, self._ask = app, path, ask
        self.now = self.made = 1000.0
        self.last_change = self.true_last_change()
        self.sent: dict[str, str] = {}
        self.token = token
        services = app.services
        services.store.clock = lambda: self.now
        services.change_feed.poll()
        services.store.clear()

    def ask(self, token: str = "", path: str = "", **more: str) -> TestResponse:
        return self._ask(path or self.path, headers={**bearer(token or self.token), **self.sent, **more})

    def load(self) -> TestResponse:
        """Ask for what is not kept, or no longer valid."""
        self.last_change = self.true_last_change()
        self.made = self.now
        answer = self.ask()
        assert answer.headers["X-Cache"] == "MISS"
        return answer

    def kept(self, seconds: float = 7.4) -> TestResponse:
        """Something is kept, and was made so long ago."""
        answer = self.load()
        # Twice, so that the fast path knows it.
        assert self.ask().headers["X-Cache"] == "HIT"
        self.now += seconds
        return answer

    def made_anew(self) -> TestResponse:
        """The answer of a load that begins now."""
        self.made, self.last_change = self.now, self.true_last_change()
        return self.ask()

    def true_last_change(self) -> dt.datetime:
        moment: dt.datetime = self._run(LAST_CHANGE[self.path] + " AS last_change")
        return moment

    def somebody_writes(self) -> None:
        self._run(
            "INSERT INTO jobs (tenant_id, job_number, title) VALUES (%(tenant)s, gen_random_uuid(), 'new') RETURNING id"
        )

    def _run(self, sql: str) -> Any:
        with (
            closing(psycopg2.connect(self.app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            cursor.execute(sql, {"tenant": self.app.alpha.id})
            return cursor.fetchall()[0][0]

    def fall_deaf(self) -> None:
        """The change feed has not heard for a while."""
        change_feed, revocations = self.app.services.change_feed, self.app.services.sign_in.revocations
        assert change_feed.read_at is not None
        change_feed.read_at -= 10
        revocations.fresh_until -= 10_000_000

    @contextmanager
    def database_away(self) -> Iterator[None]:
        with mock.patch.object(
            self.app.services.database.pool, "connection", side_effect=DatabaseUnavailable()
        ):
            yield

    @contextmanager
    def slow_database(self, begun: threading.Event, go_on: threading.Event) -> Iterator[None]:
        database = self.app.services.database
        right = database.fetch_json

        def slowly(*arguments: Any) -> str:
            begun.set()
            assert go_on.wait(PATIENCE)
            return right(*arguments)

        with mock.patch.object(database, "fetch_json", slowly):
            yield


def again(scene: Scene) -> TestResponse:
    scene.kept()
    return scene.ask()


def with_its_tag(scene: Scene) -> TestResponse:
    scene.kept()
    return scene.ask(**{"If-None-Match": scene.ask().headers["ETag"]})


def with_another_tag(scene: Scene) -> TestResponse:
    scene.kept()
    return scene.ask(**{"If-None-Match": '"another"'})


def slow_load(scene: Scene) -> TestResponse:
    """The load takes 3.5 s by the clock."""
    begun, go_on, answers = threading.Event(), threading.Event(), []
    scene.load()
    scene.app.services.store.clear()
    scene.made = scene.now
    with scene.slow_database(begun, go_on):
        thread = threading.Thread(target=lambda: answers.append(scene.ask()))
        thread.start()
        assert begun.wait(PATIENCE)
        scene.now += 3.5
        go_on.set()
        thread.join(PATIENCE)
    return answers[0]


def after_own_write(scene: Scene) -> TestResponse:
    scene.kept()
    written = scene.app.flask.test_client().post(
        "/api/jobs", json={"title": "x"}, headers=bearer(scene.token)
    )
    assert (written.status_code, written.headers["X-Cache"]) == (201, "BYPASS")
    assert "Age" not in written.headers and "ETag" not in written.headers
    return scene.made_anew()


def after_anothers_write(scene: Scene) -> TestResponse:
    scene.kept()
    scene.somebody_writes()
    scene.app.services.change_feed.poll()
    return scene.made_anew()


def before_it_is_polled(scene: Scene) -> TestResponse:
    scene.kept()
    scene.somebody_writes()
    return scene.ask()


def after_a_clear(scene: Scene) -> TestResponse:
    scene.kept()
    services = scene.app.services
    services.change_feed.order_clear(services.database, None)
    return scene.made_anew()


def after_its_time(scene: Scene) -> TestResponse:
    scene.kept(TTL[scene.path])
    return scene.made_anew()


def at_the_end_of_its_time(scene: Scene) -> TestResponse:
    scene.kept(TTL[scene.path] - 0.01)
    return scene.ask()


def while_it_is_made_anew(scene: Scene) -> TestResponse:
    scene.kept(TTL[scene.path] + 0.7)
    begun, go_on = threading.Event(), threading.Event()
    with scene.slow_database(begun, go_on):
        thread = threading.Thread(target=scene.ask)
        thread.start()
        try:
            assert begun.wait(PATIENCE)
            return scene.ask()
        finally:
            go_on.set()
            thread.join(PATIENCE)


def while_stale(scene: Scene) -> TestResponse:
    scene.kept()
    scene.somebody_writes()
    scene.fall_deaf()
    return scene.made_anew()


def while_deaf_and_the_database_is_away(scene: Scene) -> TestResponse:
    scene.kept(TTL[scene.path] + 100)
    scene.somebody_writes()
    scene.fall_deaf()
    with scene.database_away():
        return scene.ask()


def changed_and_the_database_is_away(scene: Scene) -> TestResponse:
    scene.kept()
    scene.somebody_writes()
    scene.app.services.change_feed.poll()
    with scene.database_away():
        return scene.ask()


def kept_and_the_database_is_away(scene: Scene) -> TestResponse:
    scene.kept()
    with scene.database_away():
        return scene.ask()


# By their names in the table of ARCHITECTURE.md.
STATES: dict[str, Callable[[Scene], TestResponse]] = {
    "asked for the first time": Scene.load,
    "asked again": again,
    "asked with its ETag": with_its_tag,
    "asked with another ETag": with_another_tag,
    "its load takes a while": slow_load,
    "after a write through the same worker": after_own_write,
    "after any worker's write, once polled": after_anothers_write,
    "within the poll interval before that": before_it_is_polled,
    "after a clear": after_a_clear,
    "just before its TTL ends": at_the_end_of_its_time,
    "after its TTL": after_its_time,
    "after its TTL, while another caller loads it": while_it_is_made_anew,
    "the worker has been stale for 2 s": while_stale,
    "that, and the database is away": while_deaf_and_the_database_is_away,
    "a table changed, and the database is away": changed_and_the_database_is_away,
    "nothing changed, and the database is away": kept_and_the_database_is_away,
}
