"""The change feed misses no revocation, however transactions overlap, and says when it cannot hear."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from opsboard.errors import DatabaseUnavailable
from tests.application import Application
from tests.fleet.feed_recorder import FeedRecorder

# The next action of each of three writers, mixed with polls of the change feed.
ACTIONS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["write", "commit", "rollback", "beat", "savepoint"])),
    max_size=40,
)


@pytest.fixture
def recorder(own_app: Application) -> Iterator[FeedRecorder]:
    listener = FeedRecorder(own_app.database.app_url)
    yield listener
    listener.pool.closeall()


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise DatabaseUnavailable()


def revoke(cursor: Any, business: int, token: str) -> None:
    cursor.execute(
        """
        INSERT INTO revocations (tenant_id, user_id, token_id, expires_at)
        SELECT tenant_id, min(id), %s, now() + interval '1 hour' FROM users WHERE tenant_id = %s GROUP BY tenant_id
        """,
        (token, business),
    )


@settings(max_examples=40, deadline=None)
@given(actions=ACTIONS)
def test_every_committed_revocation_is_heard_exactly_once(
    app: Application, actions: list[tuple[int, str]]
) -> None:
    listener = FeedRecorder(app.database.app_url)
    listener.change_feed.poll()
    listener.tokens.clear()
    committed: list[str] = []
    open_tokens: list[list[str]] = [[], [], []]
    with ExitStack() as stack:
        stack.callback(listener.pool.closeall)
        writers = [
            stack.enter_context(closing(psycopg2.connect(app.database.superuser_url))) for _ in range(3)
        ]
        cursors = [writer.cursor() for writer in writers]
        for number, (writer, action) in enumerate(actions):
            if action == "write":
                token = f"{id(actions)}-{number}"
                revoke(cursors[writer], (app.alpha.id, app.beta.id)[number % 2], token)
                open_tokens[writer].append(token)
            elif action == "savepoint":
                cursors[writer].execute("SAVEPOINT s")
            elif action == "beat":
                listener.change_feed.poll()
                assert sorted(listener.tokens) == sorted(committed), (
                    "heard at once, and only what is committed"
                )
            else:
                writers[writer].commit() if action == "commit" else writers[writer].rollback()
                committed += open_tokens[writer] if action == "commit" else []
                open_tokens[writer] = []
        listener.change_feed.poll()
        assert sorted(listener.tokens) == sorted(committed)
        for writer in writers:
            writer.rollback()
    with (
        closing(psycopg2.connect(app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM revocations")


def test_after_a_silence_what_was_missed_is_heard(own_app: Application, recorder: FeedRecorder) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        recorder.change_feed.poll()
        revoke(cursor, own_app.alpha.id, "one")
        with pytest.MonkeyPatch.context() as away:
            away.setattr(recorder.pool, "connection", refuse)
            recorder.change_feed.poll()
        recorder.change_feed.poll()
        assert (recorder.tokens, recorder.polls, recorder.resets) == (["one"], 2, 1)


def test_another_server_or_too_long_a_silence_loses_everything(
    own_app: Application, recorder: FeedRecorder
) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        revoke(cursor, own_app.alpha.id, "one")
        recorder.change_feed.poll()
        assert recorder.resets == 1, "the first beat knows nothing"
        recorder.change_feed._epoch = "another server"
        recorder.change_feed.poll()
        assert (recorder.resets, recorder.tokens) == (2, ["one", "one"]), (
            "tokens are read again, whatever their numbers"
        )
        assert recorder.change_feed.read_at is not None
        recorder.change_feed.read_at -= 31
        recorder.change_feed.poll()
        assert recorder.resets > 2


WRITES = {
    "insert": "INSERT INTO jobs (tenant_id, job_number, title) VALUES (%(tenant)s, gen_random_uuid(), 'x')",
    "update": "UPDATE machines SET status = 'active' WHERE tenant_id = %(tenant)s",
    "delete": "DELETE FROM notifications WHERE tenant_id = %(tenant)s",
    "copy": "COPY",
    "truncate": "TRUNCATE notifications",
}


@pytest.mark.parametrize("write", WRITES)
def test_whoever_writes_whatever_way_is_heard(
    own_app: Application, recorder: FeedRecorder, write: str
) -> None:
    recorder.change_feed.poll()
    recorder.changes.clear()
    lost = recorder.resets
    tenant = own_app.beta.id
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        if write == "copy":
            cursor.copy_expert("COPY customers (tenant_id, name) FROM STDIN", io.StringIO(f"{tenant}\tnew\n"))
        else:
            cursor.execute(WRITES[write], {"tenant": tenant})
        recorder.change_feed.poll()
        assert recorder.changes == [] and recorder.resets == lost, "not before the commit"
    recorder.change_feed.poll()
    if write == "truncate":
        assert recorder.resets == lost + 1
    else:
        table = {"insert": "jobs", "update": "machines", "delete": "notifications", "copy": "customers"}[
            write
        ]
        assert recorder.changes == [(tenant, table)]
    recorder.change_feed.poll()
    assert len(recorder.changes) <= 1, "and once"


def test_expired_revocations_are_not_heard(own_app: Application, recorder: FeedRecorder) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        revoke(cursor, own_app.alpha.id, "old")
        cursor.execute("UPDATE revocations SET expires_at = now() - interval '1 second'")
        recorder.change_feed.poll()
    assert recorder.tokens == []


def test_one_that_cannot_hear_says_so_once_and_does_not_count_as_heard() -> None:
    away = FeedRecorder("postgresql://nobody@127.0.0.1:1/nothing")
    with capture_logs() as logs:
        for _ in range(3):
            away.change_feed.poll()
    assert away.polls == 0
    assert [line["event"] for line in logs].count(
        "cannot read changes from the database; cached answers and tokens count as stale"
    ) == 1
    away.pool.closeall()
