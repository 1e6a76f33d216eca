"""The pulse misses no revocation, however transactions overlap, and says when it cannot hear."""

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
from tests.fleet.heard import Heard

# What each of three writers does next, mixed with beats of the pulse.
ACTIONS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["write", "commit", "rollback", "beat", "savepoint"])),
    max_size=40,
)


@pytest.fixture
def heard(own_shop: Application) -> Iterator[Heard]:
    listener = Heard(own_shop.database.app_url)
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
    shop: Application, actions: list[tuple[int, str]]
) -> None:
    listener = Heard(shop.database.app_url)
    listener.pulse.beat()
    listener.tokens.clear()
    committed: list[str] = []
    open_tokens: list[list[str]] = [[], [], []]
    with ExitStack() as stack:
        stack.callback(listener.pool.closeall)
        writers = [
            stack.enter_context(closing(psycopg2.connect(shop.database.superuser_url))) for _ in range(3)
        ]
        cursors = [writer.cursor() for writer in writers]
        for number, (writer, action) in enumerate(actions):
            if action == "write":
                token = f"{id(actions)}-{number}"
                revoke(cursors[writer], (shop.alpha.id, shop.beta.id)[number % 2], token)
                open_tokens[writer].append(token)
            elif action == "savepoint":
                cursors[writer].execute("SAVEPOINT s")
            elif action == "beat":
                listener.pulse.beat()
                assert sorted(listener.tokens) == sorted(committed), (
                    "heard at once, and only what is committed"
                )
            else:
                writers[writer].commit() if action == "commit" else writers[writer].rollback()
                committed += open_tokens[writer] if action == "commit" else []
                open_tokens[writer] = []
        listener.pulse.beat()
        assert sorted(listener.tokens) == sorted(committed)
        for writer in writers:
            writer.rollback()
    with (
        closing(psycopg2.connect(shop.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM revocations")


def test_after_a_silence_what_was_missed_is_heard(own_shop: Application, heard: Heard) -> None:
    with (
        closing(psycopg2.connect(own_shop.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        heard.pulse.beat()
        revoke(cursor, own_shop.alpha.id, "one")
        with pytest.MonkeyPatch.context() as away:
            away.setattr(heard.pool, "connection", refuse)
            heard.pulse.beat()
        heard.pulse.beat()
        assert (heard.tokens, heard.beats, heard.lost) == (["one"], 2, 1)


def test_another_server_or_too_long_a_silence_loses_everything(own_shop: Application, heard: Heard) -> None:
    with (
        closing(psycopg2.connect(own_shop.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        revoke(cursor, own_shop.alpha.id, "one")
        heard.pulse.beat()
        assert heard.lost == 1, "the first beat knows nothing"
        heard.pulse._epoch = "another server"
        heard.pulse.beat()
        assert (heard.lost, heard.tokens) == (2, ["one", "one"]), (
            "tokens are read again, whatever their numbers"
        )
        assert heard.pulse._heard_at is not None
        heard.pulse._heard_at -= 31
        heard.pulse.beat()
        assert heard.lost > 2


WRITES = {
    "insert": "INSERT INTO jobs (tenant_id, job_number, title) VALUES (%(tenant)s, gen_random_uuid(), 'x')",
    "update": "UPDATE machines SET status = 'active' WHERE tenant_id = %(tenant)s",
    "delete": "DELETE FROM notifications WHERE tenant_id = %(tenant)s",
    "copy": "COPY",
    "truncate": "TRUNCATE notifications",
}


@pytest.mark.parametrize("write", WRITES)
def test_whoever_writes_whatever_way_is_heard(own_shop: Application, heard: Heard, write: str) -> None:
    heard.pulse.beat()
    heard.changes.clear()
    lost = heard.lost
    tenant = own_shop.beta.id
    with (
        closing(psycopg2.connect(own_shop.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        if write == "copy":
            cursor.copy_expert("COPY customers (tenant_id, name) FROM STDIN", io.StringIO(f"{tenant}\tnew\n"))
        else:
            cursor.execute(WRITES[write], {"tenant": tenant})
        heard.pulse.beat()
        assert heard.changes == [] and heard.lost == lost, "not before the commit"
    heard.pulse.beat()
    if write == "truncate":
        assert heard.lost == lost + 1
    else:
        table = {"insert": "jobs", "update": "machines", "delete": "notifications", "copy": "customers"}[
            write
        ]
        assert heard.changes == [(tenant, table)]
    heard.pulse.beat()
    assert len(heard.changes) <= 1, "and once"


def test_expired_revocations_are_not_heard(own_shop: Application, heard: Heard) -> None:
    with (
        closing(psycopg2.connect(own_shop.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        revoke(cursor, own_shop.alpha.id, "old")
        cursor.execute("UPDATE revocations SET expires_at = now() - interval '1 second'")
        heard.pulse.beat()
    assert heard.tokens == []


def test_one_that_cannot_hear_says_so_once_and_does_not_count_as_heard() -> None:
    deaf = Heard("postgresql://nobody@127.0.0.1:1/nothing")
    with capture_logs() as logs:
        for _ in range(3):
            deaf.pulse.beat()
    assert deaf.beats == 0
    assert [line["event"] for line in logs].count(
        "pulse cannot hear the database; kept answers and tokens are distrusted"
    ) == 1
    deaf.pool.closeall()
