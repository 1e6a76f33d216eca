"""A server given with one powerful address still serves through a role that row security binds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from opsboard.config import load_config
from opsboard.db.application_role import application_url, has_no_password, refused, role_exists, with_role
from opsboard.db.embedded import Cluster
from opsboard.errors import CommandError
from tests.clusters import FreshDatabase, fresh_database, migrate_template

PASSWORD = "a: p@ss/word?&=%20"


@pytest.fixture
def database15(cluster15: Cluster) -> Iterator[FreshDatabase]:
    with fresh_database(cluster15, migrate_template(cluster15)) as database:
        yield database
        run(database, "ALTER ROLE opsboard_app PASSWORD NULL")


@pytest.fixture
def guarded(database15: FreshDatabase) -> Iterator[FreshDatabase]:
    """The server asks the service's role for its password, for this database."""
    rules = database15.cluster.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local {database15.name} opsboard_app scram-sha-256\n{before}")
    run(database15, "SELECT pg_reload_conf()")
    deadline = time.monotonic() + 30
    while not refused(database15.app_url):
        assert time.monotonic() < deadline
    yield database15
    rules.write_text(before)
    run(database15, "SELECT pg_reload_conf()")


def run(database: FreshDatabase, statement: str) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def role_of(url: str) -> str:
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_user, count(*) FROM jobs")
        ((role, _),) = cursor.fetchall()
    return str(role)


def test_an_address_of_a_bound_role_stays_as_it_is(database15: FreshDatabase) -> None:
    url = database15.app_url
    assert application_url(url, database15.owner_url, PASSWORD, made_now=False) == url
    assert role_exists(database15.owner_url)


@pytest.mark.parametrize("powerful", ["superuser_url", "owner_url"])
def test_an_address_of_a_powerful_role_becomes_the_service_role_s(
    database15: FreshDatabase, powerful: str
) -> None:
    url = getattr(database15, powerful)
    found = application_url(url, url, PASSWORD, made_now=False)
    assert role_of(found) == "opsboard_app"
    assert parse_dsn(found)["dbname"] == database15.name
    # This server lets it in without one.
    assert has_no_password(database15.superuser_url)


def test_a_role_without_a_password_gets_one_and_keeps_it(guarded: FreshDatabase) -> None:
    url = guarded.superuser_url
    found = application_url(url, url, PASSWORD, made_now=False)
    assert role_of(found) == "opsboard_app"
    assert application_url(url, url, PASSWORD, made_now=False) == found
    with pytest.raises(
        CommandError, match=r"cannot sign in as opsboard_app: .*password authentication failed"
    ):
        application_url(url, url, "another password", made_now=False)
    assert role_of(found) == "opsboard_app"


def test_who_may_not_look_gives_a_password_only_to_a_role_just_made(guarded: FreshDatabase) -> None:
    url = guarded.owner_url
    with pytest.raises(CommandError, match="As an administrator: ALTER ROLE opsboard_app PASSWORD"):
        application_url(url, url, PASSWORD, made_now=False)
    assert has_no_password(guarded.superuser_url)
    assert role_of(application_url(url, url, PASSWORD, made_now=True)) == "opsboard_app"


def test_who_may_not_give_passwords_is_told_what_to_do(guarded: FreshDatabase) -> None:
    run(guarded, "CREATE ROLE weak LOGIN")
    run(guarded, "ALTER TABLE jobs OWNER TO weak")
    try:
        url = guarded.cluster.url("weak", guarded.name)
        with pytest.raises(CommandError, match=r"may not give opsboard_app a password\. As an administrator"):
            application_url(url, url, PASSWORD, made_now=True)
    finally:
        run(guarded, "REASSIGN OWNED BY weak TO opsboard_owner")
        run(guarded, "DROP ROLE weak")


def test_a_bound_role_without_grants_is_told_what_to_do(database15: FreshDatabase) -> None:
    run(database15, "CREATE ROLE stranger LOGIN")
    try:
        url = database15.cluster.url("stranger", database15.name)
        with pytest.raises(CommandError, match="GRANT opsboard_app TO stranger"):
            application_url(url, database15.owner_url, PASSWORD, made_now=False)
        run(database15, "GRANT opsboard_app TO stranger")
        assert application_url(url, database15.owner_url, PASSWORD, made_now=False) == url
    finally:
        run(database15, "DROP ROLE stranger")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@db.example:5433/shop?sslmode=require&application_name=a%20b",
        "postgresql:///shop?host=/var/run/postgresql&user=me",
        "postgresql://me@[::1]/a%20name%2F",
        "postgresql://me@one.example,two.example:5433/shop?target_session_attrs=read-write",
    ],
)
def test_only_the_role_of_an_address_changes(url: str) -> None:
    changed = with_role(url, "opsboard_app", PASSWORD)
    assert parse_dsn(changed) == {**parse_dsn(url), "user": "opsboard_app", "password": PASSWORD}
    assert load_config({"DATABASE_URL": changed}, None).database_url == changed


def test_an_address_without_a_database_is_refused() -> None:
    with pytest.raises(CommandError, match="must name its database"):
        with_role("postgresql://db.example", "opsboard_app", PASSWORD)
