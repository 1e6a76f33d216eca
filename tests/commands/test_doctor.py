"""opsboard doctor finds what is wrong, says what to do, and changes and betrays nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.commands import check_database, check_machine
from opsboard.commands.check_machine import memory_limit
from opsboard.db.schema_version import expected_migrations
from opsboard.tenants.adding import add_tenant
from tests.application import SECRET
from tests.clusters import FreshDatabase
from tests.commands.conftest import Run
from tests.redis_servers import RedisServer


@contextmanager
def as_superuser(database: FreshDatabase) -> Iterator[Any]:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def urls(database: FreshDatabase) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url, "SECRET_KEY": SECRET}


def findings(run: Run, check: str, **settings: str) -> list[tuple[str, str, str]]:
    """(level, message, advice) of one check."""
    document = json.loads(run("doctor", "--json", **settings).stdout)
    return [(f["level"], f["message"], f["advice"]) for f in document["findings"] if f["check"] == check]


def test_all_is_well_on_a_migrated_database(
    run: Run, database: FreshDatabase, production: dict[str, str]
) -> None:
    result = run("doctor", **{**urls(database), **production})
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert all(line.startswith("ok") for line in lines[:-1])
    assert lines[-1] == f"{len(lines) - 1} ok"
    for check in ("python", "libraries", "settings", "pool", "secret", "timeouts", "data folder", "memory",
                  "shared cache", "database", "clock", "role", "operators", "tables", "indexes", "connections",
                  "migrations"):  # fmt: skip
        assert f"ok    {check} " in result.output


def test_says_which_spelling_of_a_pool_setting_won(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_POOL_SIZE=4\nDB_MAX_OVERFLOW=6\nDB_MAX_CONNECTIONS=30\n")
    least, most = findings(run, "pool", DB_MIN_CONNECTIONS="1")
    assert least == (
        "warn", "DB_POOL_MIN_CONNECTIONS=1, from DB_MIN_CONNECTIONS; not from DB_POOL_SIZE (.env)",
        "keep one spelling",
    )  # fmt: skip
    assert most == (
        "warn", "DB_POOL_MAX_CONNECTIONS=30, from DB_MAX_CONNECTIONS (.env); "
        "not from DB_POOL_SIZE+DB_MAX_OVERFLOW (.env)", "keep one spelling",
    )  # fmt: skip
    (tmp_path / ".env").write_text("DB_POOL_SIZE=4\nDB_MAX_OVERFLOW=6\n")
    assert [message for _, message, _ in findings(run, "pool")] == [
        "DB_POOL_MIN_CONNECTIONS=4, from DB_POOL_SIZE (.env)",
        "DB_POOL_MAX_CONNECTIONS=10, from DB_POOL_SIZE+DB_MAX_OVERFLOW (.env)",
    ]


def test_a_misspelled_setting_is_pointed_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_POOL_MAX_CONECTIONS=4\n")
    found = findings(run, "settings", OPSBOARD_SECRT="x")
    assert ("warn", "DB_POOL_MAX_CONECTIONS is no setting", "do you mean DB_POOL_MAX_CONNECTIONS?") in found
    assert any(message == "OPSBOARD_SECRT is no setting" for _, message, _ in found)


def test_wrong_settings_are_all_told_and_end_with_2(run: Run) -> None:
    result = run("doctor", PORT="x", WEB_THREADS="0")
    assert result.exit_code == 2
    assert "FAIL  settings      PORT must be" in result.output
    assert "FAIL  settings      WEB_THREADS must be" in result.output


def test_no_database_yet_is_a_warning_and_none_is_made(run: Run, tmp_path: Path) -> None:
    result = run("doctor")
    assert result.exit_code == 1
    assert "warn  database      there is none yet" in result.output
    assert not (tmp_path / "data").exists()


def test_a_right_installation_is_well_without_the_owners_address(
    run: Run, database: FreshDatabase, production: dict[str, str]
) -> None:
    """The service's .env, as docs/operations.md makes it, has no DATABASE_OWNER_URL."""
    result = run("doctor", DATABASE_URL=database.app_url, **production)
    assert result.exit_code == 0, result.output
    assert "ok    migrations    all of this version are applied" in result.output


def test_several_businesses_without_an_operator_deserve_a_look(
    run: Run, database: FreshDatabase, production: dict[str, str]
) -> None:
    settings = {**urls(database), **production}
    first = add_tenant(database.app_url, "north", "North", "UTC")
    added = run("tenant", "add", "south", "--name", "South", **settings)
    assert (added.exit_code, added.stderr[:16]) == (0, "OPERATOR_TENANTS")
    (found,) = findings(run, "operators", **settings)
    assert found[0] == "warn" and "2 businesses" in found[1] and "opsboard tenant list" in found[2]
    # In development, as in the demo, admins of every business see it.
    assert findings(run, "operators", **urls(database))[0][0] == "ok"
    assert findings(run, "operators", **settings, OPERATOR_TENANTS=str(first))[0][:2] == (
        "ok",
        f"admins of {first}",
    )
    assert findings(run, "operators", **settings, OPERATOR_TENANTS="99")[0][:2] == (
        "warn", "OPERATOR_TENANTS names no business: 99",
    )  # fmt: skip


@pytest.mark.parametrize("left", [5, 22, 29])
def test_an_old_schema_is_found_by_whoever_is_asked(
    run: Run, database: FreshDatabase, production: dict[str, str], left: int
) -> None:
    newest = expected_migrations()[-1]
    with as_superuser(database) as cursor:
        cursor.execute("DELETE FROM schema_migrations WHERE id > (SELECT min(id) FROM schema_migrations WHERE "
                       "id LIKE %s)", (f"{left:04}%",))  # fmt: skip
    found = findings(run, "migrations", DATABASE_URL=database.app_url, SECRET_KEY=SECRET)
    assert found == [
        ("FAIL", f"the schema is older than this version: {newest} is not applied",
         "run opsboard migrate, with DATABASE_OWNER_URL"),
    ]  # fmt: skip
    refused = run("serve", "--check", DATABASE_URL=database.app_url, **production)
    assert refused.exit_code != 0 and newest in str(refused.exception)
    with as_superuser(database) as cursor:
        cursor.execute("DROP FUNCTION missing_migrations(text [])")
    assert findings(run, "migrations", DATABASE_URL=database.app_url, SECRET_KEY=SECRET) == found


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("{name}?", "nowhere_yet?"), "make it with deploy/roles.sql"),
        (("user=opsboard_app", "user=nobody_yet"), "run `opsboard migrate` first"),
        (("host=", "host=/nonexistent"), "start the server"),
        (("host=", "host=nowhere.invalid&sslrootcert="), "correct the host"),
    ],
)
def test_the_hint_fits_what_keeps_it_out(
    run: Run, database: FreshDatabase, change: tuple[str, str], advice: str
) -> None:
    before, after = change
    url = database.app_url.replace(before.format(name=database.name), after)
    (found,) = findings(run, "database", DATABASE_URL=url, SECRET_KEY=SECRET)
    assert found[0] == "FAIL" and found[2].startswith(advice), found


def test_a_server_without_a_free_connection_is_told_as_that(run: Run, database: FreshDatabase) -> None:
    with as_superuser(database) as cursor:
        cursor.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
        (found,) = findings(run, "database", DATABASE_URL=database.app_url, SECRET_KEY=SECRET)
    assert "too many connections" in found[1] and "pg_stat_activity" in found[2]


def test_a_dropped_index_is_named(run: Run, database: FreshDatabase) -> None:
    with as_superuser(database) as cursor:
        cursor.execute("DROP INDEX idx_jobs_priority")
    assert findings(run, "indexes", **urls(database)) == [
        ("FAIL", "missing: idx_jobs_priority", "run opsboard indexes build")
    ]


def test_a_database_that_cannot_be_reached_fails(run: Run) -> None:
    result = run(
        "doctor", DATABASE_URL="postgresql://opsboard_app@/opsboard?host=/nonexistent", SECRET_KEY=SECRET
    )
    assert result.exit_code == 2
    assert "FAIL  database" in result.output


@pytest.mark.parametrize(("mode", "level"), [("production", "FAIL"), ("development", "warn")])
def test_a_role_that_row_security_does_not_bind_is_found(
    run: Run, database: FreshDatabase, mode: str, level: str
) -> None:
    settings = {**urls(database), "OPSBOARD_ENV": mode}
    found = findings(run, "role", **{**settings, "DATABASE_URL": database.superuser_url})
    assert found == [
        (level, "postgres is a superuser: row security does not bind it", "set DATABASE_URL to opsboard_app")
    ]


def test_damage_to_the_schema_is_found(run: Run, database: FreshDatabase) -> None:
    with as_superuser(database) as cursor:
        cursor.execute("ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY")
        cursor.execute("CREATE TABLE leak (tenant_id bigint)")
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_users_role'::regclass")
        cursor.execute("DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)")
    result = run("doctor", **urls(database))
    assert result.exit_code == 2
    assert "jobs is not closed between tenants\n" in result.output
    assert "-> ALTER TABLE jobs FORCE ROW LEVEL SECURITY" in result.output
    assert "-> ALTER TABLE leak ENABLE ROW LEVEL SECURITY" in result.output
    assert "FAIL  indexes       invalid: idx_users_role" in result.output
    assert "FAIL  migrations    pending: 0" in result.output


def test_an_empty_database_asks_for_migrations(run: Run, database: FreshDatabase) -> None:
    with as_superuser(database) as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION opsboard_owner")
    result = run("doctor", **urls(database))
    assert result.exit_code == 2
    assert "FAIL  migrations    pending: 0001" in result.output
    assert "FAIL  tables        there are none\n" in result.output
    assert "FAIL  indexes" not in result.output and "FAIL  database" not in result.output


def test_more_connections_than_the_server_allows_are_found(run: Run, database: FreshDatabase) -> None:
    found = findings(run, "connections", WEB_CONCURRENCY="20", **urls(database))
    assert found[0][0] == "warn"
    assert found[0][1].startswith("20 workers x (10 + 4) connections = 280, but the server allows ")
    assert "DB_POOL_MAX_CONNECTIONS" in found[0][2]


@pytest.mark.parametrize(("seconds", "level"), [(0.2, "ok"), (5, "warn"), (-100, "FAIL")])
def test_clocks_that_differ_are_found(
    run: Run, database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, seconds: float, level: str
) -> None:
    import time

    class Shifted:
        time = staticmethod(lambda: time.time() + seconds)

    monkeypatch.setattr(check_database, "time", Shifted)
    assert [found[0] for found in findings(run, "clock", **urls(database))] == [level]


@pytest.mark.parametrize(
    ("version", "level"), [(130004, "FAIL"), (140000, "ok"), (180004, "ok"), (190000, "warn")]
)
def test_versions_of_the_server_are_judged(
    run: Run, database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, version: int, level: str
) -> None:
    query = check_database.sql.server
    text = query.sql.replace("current_setting('server_version_num')::integer", str(version))
    assert text != query.sql
    monkeypatch.setitem(check_database.sql._queries, "server", query.__class__(query.name, text, query.doc))
    assert [found[0] for found in findings(run, "database", **urls(database))] == [level]


def test_caches_larger_than_the_memory_are_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (memory_limit() or 0) > 1 << 28
    monkeypatch.setattr(check_machine, "memory_limit", lambda: 1 << 30)
    assert findings(run, "memory")[0][0] == "ok"
    level, message, _ = findings(run, "memory", WEB_CONCURRENCY="8")[0]
    assert (level, message) == ("warn", "8 workers x CACHE_MAX_BYTES = 512 MiB, of 1024 MiB in all")


def test_a_data_folder_that_cannot_be_made_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = findings(run, "data folder", OPSBOARD_DATA=str(tmp_path / "file" / "data"))
    assert found[0][0] == "FAIL"


def test_timeouts_in_the_wrong_order_are_found(run: Run) -> None:
    found = findings(run, "timeouts", DB_POOL_TIMEOUT="20", WEB_GRACEFUL_TIMEOUT="5")
    assert [message.partition(":")[0] for _, message, _ in found] == [
        "DB_POOL_TIMEOUT=20 is above REQUEST_DEADLINE=10", "REQUEST_DEADLINE=10 is above WEB_GRACEFUL_TIMEOUT=5",
    ]  # fmt: skip


def test_a_role_that_only_the_migrations_will_make_is_explained(run: Run, database: FreshDatabase) -> None:
    with as_superuser(database) as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION opsboard_owner")
    missing = database.cluster.url("nobody_yet", database.name)
    result = run("doctor", **{**urls(database), "DATABASE_URL": missing})
    assert result.exit_code == 2
    assert 'role "nobody_yet" does not exist' in result.output
    assert "FAIL  migrations    pending: 0001" in result.output
    assert "-> run opsboard migrate" in result.output


def test_a_shared_cache_is_looked_at_and_never_a_failure(
    run: Run, database: FreshDatabase, own_redis: RedisServer
) -> None:
    def told(url: str) -> tuple[str, str, str]:
        (found,) = findings(run, "shared cache", **urls(database), CACHE_URL=url)
        return found

    level, message, _ = told(own_redis.url)
    assert level == "ok" and "answers in" in message
    own_redis.say("CONFIG", "SET", "maxmemory", "100mb")
    level, message, advice = told(own_redis.url)
    assert (level, advice) == ("warn", "set maxmemory-policy allkeys-lru")
    own_redis.freeze()
    assert told(own_redis.url)[:2] == ("warn", "no answer in time")
    own_redis.kill()
    assert told(own_redis.url)[:2] == ("warn", "cannot be reached")
    output = run("doctor", **urls(database), CACHE_URL="redis://:hidden-word@127.0.0.1:1/0").output
    assert "cannot be reached" in output and "hidden-word" not in output


def test_deliveries_that_wait_for_long_are_a_warning(database: FreshDatabase, run: Run) -> None:
    add_tenant(database.owner_url, "late", "Late", "UTC")
    assert "none is late; no mail server is set" in str(findings(run, "deliveries", **urls(database)))
    with as_superuser(database) as cursor:
        cursor.execute(
            "INSERT INTO deliveries (tenant_id, event_id, event_type, subject, body, created_at)"
            " SELECT id, 'e', 'letter.reset', 's', '{}', now() - interval '2 hours' FROM tenants WHERE slug = 'late'"
        )
    assert "has waited for 2.0 h" in str(findings(run, "deliveries", **urls(database)))
