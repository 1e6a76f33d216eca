"""Health tells what the sessions of the database do, and operators end one of them, which is audited."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

from opsboard.features.health.activity_schemas import Cancelled
from opsboard.features.health.advice import Advice, advise_on_activity
from opsboard.features.health.settings_advice import advise_on_settings
from tests.application import Application
from tests.features.test_health_meanwhile import finish_connecting, holding
from tests.waiting import eventually

ACTIVITY = "/api/health/activity"
CANCEL = "/api/health/activity/cancel"


def ask(app: Application) -> dict[str, Any]:
    answer = app.client().get(ACTIVITY)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = json.loads(answer.data)
    return found


@contextmanager
def running(url: str, statement: str) -> Iterator[Any]:
    """A session in the middle of a statement."""
    with closing(psycopg2.connect(url, async_=1)) as connection:
        finish_connecting(connection)
        cursor = connection.cursor()
        cursor.execute(statement)
        yield connection


def end_of(connection: Any) -> type[Exception] | None:
    """Wait for the end of its statement and return the error it ended with."""
    try:
        finish_connecting(connection)
    except psycopg2.Error as error:
        return type(error)
    return None


def audited(app: Application) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT action, entity_id, changes #>> '{query,0}', user_id IS NOT NULL
            FROM audit_logs WHERE tenant_id = %s AND entity = 'database_session'
            """,
            (app.alpha.id,),
        )
        return cursor.fetchall()


def test_a_quiet_server_has_nothing_long_blocked_or_idle(own_app: Application) -> None:
    found = ask(own_app)
    assert found["long_statements"] == found["blocked"] == found["idle_in_transaction"] == []
    assert any(group["user"] == "opsboard_app" and group["count"] >= 1 for group in found["sessions"])
    assert found["holds_up"]["unfolded_deltas"] >= 0 and found["holds_up"]["dead_rows"] >= 0
    ids = found["transaction_ids"]
    assert 0 < ids["age"] < ids["freeze_at"] and 0 <= ids["used"] < 0.5 and ids["oldest_tables"]
    assert found["database"]["bytes"] > 1 << 20 and 0 < found["database"]["cache_hit_ratio"] <= 1
    assert 0 < found["disk"]["free_bytes"] < found["disk"]["total_bytes"]
    assert found["replication"]["is_standby"] is False
    assert found["sequences"] and all(0 <= sequence["used"] < 0.5 for sequence in found["sequences"])


def test_a_statement_that_runs_long_is_listed_by_the_name_of_its_query(own_app: Application) -> None:
    with running(own_app.database.app_url, "/* jobs.list_jobs */ SELECT pg_sleep(60)") as connection:
        pid = connection.get_backend_pid()

        def listed() -> bool:
            return pid in [statement["pid"] for statement in ask(own_app)["long_statements"]]

        eventually("it has run for a second", listed)
        (statement,) = ask(own_app)["long_statements"]
        assert (statement["query"], statement["user"]) == ("jobs.list_jobs", "opsboard_app")
        assert statement["waits_for"] == "Timeout: PgSleep"
        client = own_app.client()
        other = client.post(CANCEL, json={"pid": pid, "query": "customers.list_customers"})
        assert other.status_code == 404, "it runs another query than the one that was to end"
        answer = client.post(CANCEL, json={"pid": pid, "query": "jobs.list_jobs"})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.json is not None
        assert (
            Cancelled.model_validate(answer.json, strict=True).audited and answer.json["ended"] == "statement"
        )
        assert end_of(connection) is psycopg2.errors.QueryCanceled
    assert audited(own_app) == [("cancel", pid, "jobs.list_jobs", True)]


def test_a_session_idle_in_a_transaction_is_named_and_ended(own_app: Application) -> None:
    with closing(psycopg2.connect(own_app.database.app_url)) as forgotten, forgotten.cursor() as cursor:
        cursor.execute("/* jobs.get_job */ SELECT 1")
        pid = forgotten.get_backend_pid()
        (idle,) = ask(own_app)["idle_in_transaction"]
        assert (idle["pid"], idle["last_query"]) == (pid, "jobs.get_job")
        answer = own_app.client().post(CANCEL, json={"pid": pid, "end_session": True})
        assert answer.status_code == 200 and answer.json is not None and answer.json["ended"] == "session"
        eventually("it is gone", lambda: ask(own_app)["idle_in_transaction"] == [])
    assert [(action, entity) for action, entity, *_ in audited(own_app)] == [("end", pid)]


def test_who_blocks_whom_is_told_and_the_waiting_statement_can_be_cancelled(own_app: Application) -> None:
    with (
        holding(own_app, "LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"),
        running(own_app.database.app_url, "/* jobs.list_jobs */ SELECT count(*) FROM jobs") as waiting,
    ):
        eventually("it waits", lambda: bool(ask(own_app)["blocked"]))
        (blocked,) = ask(own_app)["blocked"]
        assert blocked["waits_for"] == "jobs" and blocked["pid"] == waiting.get_backend_pid()
        (holder,) = blocked["blocked_by"]
        client = own_app.client()
        refused = client.post(CANCEL, json={"pid": holder["pid"], "end_session": True})
        assert refused.status_code == 403 and refused.json is not None
        assert f"pg_terminate_backend({holder['pid']})" in refused.json["detail"], "the way it can be ended"
        assert client.post(CANCEL, json={"pid": blocked["pid"]}).status_code == 200
        assert end_of(waiting) is psycopg2.errors.QueryCanceled


def test_the_session_that_locks_the_audit_log_can_be_ended(own_app: Application) -> None:
    """The entry cannot be written, which the answer says; the locks and what they hold up are gone."""
    with closing(psycopg2.connect(own_app.database.app_url)) as locking, locking.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(own_app.alpha.id),))
        with holding(own_app, "LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE"):
            pid = locking.get_backend_pid()
            answer = own_app.client().post(CANCEL, json={"pid": pid, "end_session": True})
            assert answer.status_code == 200 and answer.json is not None, answer.get_data(as_text=True)
            assert answer.json["audited"] is False
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert audited(own_app) == []


def test_ending_nobody_is_404_and_only_operators_end_anybody(own_app: Application) -> None:
    assert own_app.client().post(CANCEL, json={"pid": 2**31 - 1}).status_code == 404
    with closing(psycopg2.connect(own_app.database.app_url)) as other:
        for role in ("manager", "operator"):
            answer = own_app.client(role).post(CANCEL, json={"pid": other.get_backend_pid()})
            assert answer.status_code == 403
        with other.cursor() as cursor:
            cursor.execute("SELECT 1")
    assert audited(own_app) == []


def test_a_locked_sequence_or_count_is_left_out_and_nobody_waits(own_app: Application) -> None:
    ask(own_app)
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("ALTER SEQUENCE jobs_id_seq RESTART")
        cursor.execute("LOCK TABLE rollup_deltas IN ACCESS EXCLUSIVE MODE")
        found = ask(own_app)
        connection.rollback()
    assert found["problem"] is None and found["age_seconds"] == 0
    assert "jobs_id_seq" not in [sequence["name"] for sequence in found["sequences"]]
    assert found["holds_up"]["unfolded_deltas"] is None


def test_a_sequence_is_measured_by_the_type_of_its_column(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.owner_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        cursor.execute("CREATE TABLE small (id integer); CREATE SEQUENCE small_id_seq OWNED BY small.id")
        cursor.execute("SELECT setval('small_id_seq', 2000000000)")
    found = ask(own_app)
    assert found["sequences"][0] == {
        "name": "small_id_seq", "last_value": 2_000_000_000, "largest": 2**31 - 1, "used": 0.9313,
    }  # fmt: skip
    assert found["status"] == "critical"
    assert "sequence small_id_seq has reached 93% of its largest value" in found["warnings"]


def test_ids_slots_and_idle_sessions_near_their_end_are_warned_of() -> None:
    advice = Advice()
    ids = {"used": 0.6, "oldest_tables": [{"name": "jobs", "age": 1}]}
    slots = [
        {"name": "unread", "active": False, "bytes_behind": 5 << 20},
        {"name": "read", "active": True, "bytes_behind": 10},
    ]
    idle = {"pid": 7, "user": "me", "last_query": None, "idle_seconds": 61.0}
    advise_on_activity(
        {
            "idle_in_transaction": [idle],
            "transaction_ids": ids,
            "sequences": [],
            "replication": {"slots": slots},
        },
        advice,
    )
    assert advice.status == "warning" and len(advice.warnings) == 3
    assert "idle in a transaction for 61 s" in advice.warnings[0]
    assert advice.warnings[1].startswith("60% of the transaction ids")
    assert "'unread' is 5 MB behind and nobody reads it" in advice.warnings[2]


def test_settings_that_cost_safety_are_advised_against_with_the_reason() -> None:
    quiet = {"database": {"bytes": 1, "temporary_files": 0}, "replication": {"slots": []}}
    good = {"fsync": "on", "work_mem": "4MB", "shared_buffers": "128MB", "max_slot_wal_keep_size": "-1"}
    assert advise_on_settings(good, quiet) == []
    busy = {"database": {"bytes": 1 << 30, "temporary_files": 101}, "replication": {"slots": [{}]}}
    advised = advise_on_settings({**good, "fsync": "off"}, busy)
    assert [one["name"] for one in advised] == [
        "fsync",
        "shared_buffers",
        "work_mem",
        "max_slot_wal_keep_size",
    ]
    assert all(one["reason"] and one["advice"] and one["value"] for one in advised)
