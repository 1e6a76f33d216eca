"""A worker that nobody asks listens less often, and its first answer after a rest is new all the same."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.database import Database
from opsboard.errors import DatabaseUnavailable
from opsboard.features.health import routes
from opsboard.fleet import change_feed as module
from opsboard.fleet import heartbeat
from tests.application import Application
from tests.waiting import eventually

STATS = "/api/dashboard/stats"


@pytest.fixture
def resting(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """A worker that rests soon, and by itself does not listen again within the test."""
    monkeypatch.setattr(module, "REST_AFTER", 0.2)
    monkeypatch.setattr(module, "REST_INTERVAL", 30.0)
    monkeypatch.setattr(module, "LONGEST_WAIT", 5.0)
    return own_app


def let_rest(application: Application) -> None:
    change_feed = application.services.change_feed
    eventually("it rests", lambda: change_feed.is_resting)
    time.sleep(3 * change_feed.interval)


def add_machines(application: Application, machines: int) -> None:
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO machines (tenant_id, name) SELECT %s, 'new ' || n FROM generate_series(1, %s) AS n",
            (application.alpha.id, machines),
        )


def test_the_first_answer_after_a_rest_is_new(resting: Application) -> None:
    client = resting.client()
    before = client.get(STATS).json["machines"]["total"]  # type: ignore[index]
    for number in range(1, 4):
        let_rest(resting)
        add_machines(resting, 1)
        assert client.get(STATS).json["machines"]["total"] == before + number  # type: ignore[index]


def test_the_usual_rhythm_begins_with_the_first_request_after_a_rest(
    resting: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, change_feed = resting.client(), resting.services.change_feed
    client.get(STATS)
    let_rest(resting)
    monkeypatch.setattr(module, "REST_AFTER", 60.0)
    assert client.get(STATS).status_code == 200
    first = change_feed.read_at
    # Long before REST_INTERVAL has passed, which the next poll would otherwise wait for.
    eventually("it reads again", lambda: change_feed.read_at != first, patience=module.REST_INTERVAL / 2)


def test_what_did_not_change_is_still_a_hit_after_a_rest(resting: Application) -> None:
    client = resting.client()
    client.get(STATS)
    let_rest(resting)
    assert client.get(STATS).headers["X-Cache"] == "HIT"
    assert not resting.services.change_feed.is_resting, "it keeps the full rhythm again"


def test_a_resting_worker_that_cannot_listen_trusts_nothing(
    resting: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.05)
    client = resting.client()
    client.get(STATS)
    let_rest(resting)
    change_feed = resting.services.change_feed

    def refuse(*args: Any) -> Any:
        raise DatabaseUnavailable()

    monkeypatch.setattr(change_feed.database, "fetch_unbound", refuse)
    add_machines(resting, 1)
    assert change_feed.is_stale
    assert client.get(STATS).headers["X-Cache"] == "MISS", (
        "loaded anew, because nobody knows what has changed"
    )


def test_a_resting_worker_sends_few_statements(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_AFTER", 0.2)
    own_app.client().get(STATS)
    # It may have begun to rest during a slow request: this poll notices the answer, and then it rests for good.
    own_app.poll_changes()
    change_feed = own_app.services.change_feed
    eventually("it rests", lambda: change_feed.is_resting)
    sent, run = [], Database._run

    def noted(self: Database, *args: Any) -> Any:
        if threading.current_thread().name == "opsboard-feed":
            sent.append(args[0].name)
        return run(self, *args)

    monkeypatch.setattr(Database, "_run", noted)
    began = time.monotonic()
    time.sleep(2.0)
    passed = time.monotonic() - began
    # The full rhythm sends 20 a second. The report is part of the statement that listens.
    assert 1 <= len(sent) <= passed / module.REST_INTERVAL + 2, sent
    assert {"fleet.listen_and_beat"} <= set(sent) and "fleet.report" not in sent


def test_a_clear_waits_for_workers_at_rest() -> None:
    """They read the order at their next poll; one that has not confirmed it in time would be told as waiting."""
    assert module.REST_INTERVAL + 2 * module.LONGEST_WAIT <= routes.PATIENCE
    assert module.REST_INTERVAL <= heartbeat.REST_REPORT_EVERY <= heartbeat.SILENT_AFTER / 2


def test_a_resting_worker_whose_row_is_gone_reports_again(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "REST_REPORT_AGE", 3600.0)
    change_feed = own_app.services.change_feed
    change_feed.start()
    change_feed.pause()
    monkeypatch.setattr(change_feed, "_may_rest", lambda: True)
    change_feed.poll()

    def beat() -> None:
        change_feed._heartbeat._sent_at = 0.0
        change_feed.poll()

    def rows(sql: str = "SELECT report, heard_at FROM workers WHERE id = %s") -> Any:
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, (change_feed.worker.id,))
            return cursor.fetchall()

    ((report, heard_at),) = rows()
    beat()
    ((same, later),) = rows()
    assert same == report and later > heard_at, "it says only that it is there"
    assert len(rows("DELETE FROM workers WHERE id = %s RETURNING id")) == 1
    beat()
    assert rows() == []
    beat()
    assert len(rows()) == 1
