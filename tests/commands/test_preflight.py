"""Checks before a start: in production a role that row security does not bind is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.commands.preflight import check, for_gunicorn
from opsboard.config import Config, load_config
from opsboard.errors import ConfigError
from opsboard.settings import SETTINGS, Setting
from opsboard.tenants.adding import add_tenant
from tests.application import SECRET
from tests.clusters import FreshDatabase
from tests.commands.conftest import Run

ROOT = Path(__file__).parents[2]
CANARY = "canary-in-a-password"
GUNICORN = ["-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py")]
SERVE = ["-m", "opsboard.cli", "serve"]
ROLES = {
    "preflight_bypass": "BYPASSRLS",
    "preflight_maker": "CREATEROLE",
    "preflight_member": "IN ROLE opsboard_owner",
    "preflight_distant": "IN ROLE preflight_bypass",
    "preflight_safe": "IN ROLE opsboard_app",
}


def production(url: str) -> Config:
    return load_config({"OPSBOARD_ENV": "production", "SECRET_KEY": SECRET, "DATABASE_URL": url}, None)


# A text each that is not the default; the others are texts, numbers and words.
GIVEN = {
    "OPERATOR_TENANTS": "1,7", "TRUSTED_PROXIES": "10.0.0.0/8, ::1", "OPSBOARD_ENV": "production", "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://opsboard_app@db.example/opsboard",
}  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_workers_read_each_setting_as_the_master_did(setting: Setting) -> None:
    needed = {name: GIVEN[name] for name in ("SECRET_KEY", "DATABASE_URL")}
    values = [GIVEN[setting.name]] if setting.name in GIVEN else []
    if isinstance(setting.default, bool):
        values += ["on", "off"]
    for value in (*values, None):
        given = needed if value is None else {**needed, setting.name: value}
        config = load_config(given, None)
        again = load_config(for_gunicorn(config)["environment"], None)
        assert again.values == config.values


def refusals(url: str) -> list[str]:
    try:
        check(production(url))
    except ConfigError as error:
        return error.faults
    return []


@pytest.fixture
def roles(any_database: FreshDatabase) -> Iterator[FreshDatabase]:
    """A server that has each kind of role, for the length of a test."""
    with closing(psycopg2.connect(any_database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for role, options in ROLES.items():
            cursor.execute(f"CREATE ROLE {role} LOGIN {options}")
        yield any_database
        for role in reversed(ROLES):
            cursor.execute(f"DROP ROLE {role}")


def count_of_tables(database: FreshDatabase) -> int:
    """How many tables with row security there are."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relrowsecurity AND NOT relispartition"
        )
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def test_each_way_around_row_security_is_refused_and_named(roles: FreshDatabase) -> None:
    told = {
        role: refusals(roles.cluster.url(role, roles.name)) for role in (*ROLES, "postgres", "opsboard_owner")
    }
    tables = count_of_tables(roles)
    must = "DATABASE_URL must name a role that row security binds; "
    assert told.pop("preflight_safe") == []
    assert all(fault.startswith(must) for faults in told.values() for fault in faults)
    assert {role: [fault.removeprefix(must) for fault in faults] for role, faults in told.items()} == {
        "preflight_bypass": ["preflight_bypass has BYPASSRLS"],
        "preflight_maker": ["preflight_maker has CREATEROLE and could make itself a member of the owner"],
        "preflight_member": [
            f"preflight_member is a member of opsboard_owner, which owns {tables} of the tables and could switch their "
            "row security off"
        ],
        "preflight_distant": [
            "preflight_distant is a member of preflight_bypass, which is exempt from row security"
        ],
        "postgres": ["postgres is a superuser"],
        "opsboard_owner": [
            "opsboard_owner has CREATEROLE and could make itself a member of the owner",
            f"opsboard_owner owns {tables} of the tables and could switch their row security off",
        ],
    }  # fmt: skip


def test_several_businesses_need_an_operator(database: FreshDatabase) -> None:
    config = production(database.app_url)
    first = add_tenant(database.app_url, "north", "North", "UTC")
    assert check(config) == []
    second = add_tenant(database.app_url, "south", "South", "UTC")
    (warning,) = check(config)
    assert warning.startswith("OPERATOR_TENANTS is empty and there are 2 businesses: nobody may see")
    assert check(config.with_values(operator_tenants=(first, second))) == []
    (warning,) = check(config.with_values(operator_tenants=(first, 99)))
    assert warning == "OPERATOR_TENANTS names no business: 99"


def test_the_applications_role_is_accepted(database: FreshDatabase) -> None:
    assert check(production(database.app_url)) == []


def test_a_superuser_in_the_clothes_of_the_application_is_refused(database: FreshDatabase) -> None:
    disguised = f"{database.superuser_url}&options=-c%20role%3Dopsboard_app"
    assert refusals(disguised) == [
        "DATABASE_URL must name a role that row security binds; opsboard_app is a superuser"
    ]


def test_in_development_nobody_looks(database: FreshDatabase) -> None:
    config = production(database.superuser_url).with_values(opsboard_env="development")
    assert check(config) == []


def test_a_database_that_is_away_is_no_reason_not_to_start() -> None:
    (warning,) = check(production(f"postgresql://opsboard_app:{CANARY}@/opsboard?host=/nonexistent"))
    assert "cannot be reached" in warning
    assert "nothing is served until its role is checked" in warning
    assert CANARY not in warning


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{CANARY}%zz@db/opsboard",
        f"postgresql://me:{CANARY}/x@db/y",
        f"postgresql://me:x@{CANARY}@db/y",
    ],
)
def test_an_address_that_libpq_cannot_read_is_refused_without_repeating_it(url: str) -> None:
    (fault,) = refusals(url)
    assert fault.startswith("DATABASE_URL is not a PostgreSQL address")
    assert CANARY not in fault


def test_workers_get_exactly_the_settings_that_were_checked() -> None:
    config = load_config(
        {"DB_POOL_SIZE": "3", "DB_MAX_OVERFLOW": "4", "CACHE_ENABLED": "no", "DB_POOL_TIMEOUT": "0.5",
         "SECRET_KEY": SECRET, "BIND": "unix:/run/x.sock"}, None,
    )  # fmt: skip
    told = json.loads(json.dumps(for_gunicorn(config)))
    assert load_config(told["environment"], None).values == config.values
    assert told["bind"] == "unix:/run/x.sock"
    assert (told["max_requests"], told["max_requests_jitter"]) == (100_000, 10_000)


@pytest.mark.parametrize("starter", [GUNICORN, SERVE], ids=["gunicorn", "serve"])
def test_a_start_with_wrong_settings_ends_with_a_line_per_fault(tmp_path: Path, starter: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *starter],
        cwd=tmp_path,
        env={"OPSBOARD_ENV": "production", "OPSBOARD_DEBUG": "1", "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["opsboard:", name] for name in ("SECRET_KEY", "OPSBOARD_DEBUG", "DATABASE_URL")
    ]


def test_gunicorn_does_not_start_as_a_role_that_row_security_does_not_bind(
    tmp_path: Path, database: FreshDatabase
) -> None:
    settings = {"OPSBOARD_ENV": "production", "SECRET_KEY": SECRET, "DATABASE_URL": database.superuser_url}
    done = subprocess.run(
        [sys.executable, *GUNICORN], cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "opsboard: DATABASE_URL must name a role that row security binds; postgres is a superuser\n"
    )


def test_serve_check_starts_nothing_and_says_what_is_wrong(run: Run, database: FreshDatabase) -> None:
    settings = {"OPSBOARD_ENV": "production", "SECRET_KEY": SECRET}
    good = run("serve", "--check", DATABASE_URL=database.app_url, **settings)
    assert (good.exit_code, good.stdout) == (0, "the service may start with these settings\n")
    bad = run("serve", "--check", DATABASE_URL=database.superuser_url, **settings)
    assert "postgres is a superuser" in str(bad.exception)


def test_no_command_shows_a_secret(run: Run) -> None:
    settings = {
        "SECRET_KEY": CANARY * 2,
        "DATABASE_URL": f"postgresql://opsboard_app:{CANARY}@/opsboard?host=/nonexistent",
        "DATABASE_OWNER_URL": f"postgresql://opsboard_owner:{CANARY}@/opsboard?host=/nonexistent",
    }
    for words in (["doctor"], ["doctor", "--json"], ["config"], ["config", "--example"], ["--help"], ["migrate"],
                  ["explain", "dashboard.stats"], ["serve", "--check"], ["serve", "--help"]):  # fmt: skip
        result = run(*words, **settings)
        assert CANARY not in f"{result.output} {result.exception!r}", words
