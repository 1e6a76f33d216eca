"""Businesses and users from the command line: added as the service's role, checked, written down."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.auth.passwords import password_fits
from opsboard.errors import CommandError
from opsboard.tenants.adding import add_tenant, add_user, set_password
from tests.clusters import FreshDatabase


def rows(database: FreshDatabase, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()


def add_kim(database: FreshDatabase, slug: str = "north", **changes: str) -> int:
    kim = {
        "email": "kim@north.example",
        "role": "manager",
        "full_name": "Kim Sand",
        "password": "a long secret",
    }
    return add_user(database.app_url, slug, **{**kim, **changes})  # type: ignore[arg-type]


def test_a_business_and_its_first_user_are_added_and_audited(any_database: FreshDatabase) -> None:
    tenant = add_tenant(any_database.app_url, "north", "North Works", "Europe/Berlin")
    user = add_kim(any_database)
    assert rows(any_database, "SELECT id, slug, name, time_zone FROM tenants") == [
        (tenant, "north", "North Works", "Europe/Berlin")
    ]
    ((found, of_tenant, email, role, name, active, password_hash),) = rows(
        any_database, "SELECT id, tenant_id, email, role, full_name, is_active, password_hash FROM users"
    )
    assert (found, of_tenant, email, role, name, active) == (
        user, tenant, "kim@north.example", "manager", "Kim Sand", True,
    )  # fmt: skip
    assert password_fits(password_hash, "a long secret")
    assert not password_fits(password_hash, "a long secret ")
    audit = rows(
        any_database,
        "SELECT tenant_id, user_id, action, entity, entity_id, changes FROM audit_logs ORDER BY id",
    )
    assert audit == [
        (tenant, None, "create", "tenant", tenant, {
            "slug": [None, "north"], "name": [None, "North Works"], "time_zone": [None, "Europe/Berlin"]}),
        (tenant, None, "create", "user", user, {
            "email": [None, "kim@north.example"], "full_name": [None, "Kim Sand"], "role": [None, "manager"]}),
    ]  # fmt: skip


def test_another_password_takes_the_place_of_the_old_one_and_ends_their_tokens(
    database: FreshDatabase,
) -> None:
    add_tenant(database.app_url, "north", "North Works", "UTC")
    add_tenant(database.app_url, "south", "South Works", "UTC")
    user = add_kim(database)
    other = add_kim(database, "south")
    assert (
        set_password(database.app_url, "north", email="KIM@north.example", password="another secret") == user
    )
    found = {row[0]: row[1:] for row in rows(database, "SELECT id, password_hash, token_version FROM users")}
    assert password_fits(found[user][0], "another secret") and found[user][1] == 2
    assert password_fits(found[other][0], "a long secret") and found[other][1] == 1
    assert rows(database, "SELECT entity_id FROM audit_logs WHERE action = 'password'") == [(user,)]
    with pytest.raises(CommandError, match="south has no user nobody"):
        set_password(database.app_url, "south", email="nobody@south.example", password="another secret")


def test_a_user_belongs_to_the_business_that_was_named(database: FreshDatabase) -> None:
    north = add_tenant(database.app_url, "north", "North", "UTC")
    south = add_tenant(database.app_url, "south", "South", "UTC")
    add_kim(database, "south")
    add_kim(database, "north")
    assert rows(database, "SELECT tenant_id FROM users ORDER BY id") == [(south,), (north,)]


@pytest.mark.parametrize(
    ("slug", "name", "time_zone", "message"),
    [
        ("North", "North", "UTC", "'North' is no slug"),
        ("-north", "North", "UTC", "is no slug"),
        ("north\n", "North", "UTC", "is no slug"),
        ("n" * 64, "North", "UTC", "is no slug"),
        ("", "North", "UTC", "is no slug"),
        ("north", "", "UTC", "--name must have 1 to 200 characters"),
        ("north", "  ", "UTC", "--name must have 1 to 200 characters"),
        ("north", "N" * 201, "UTC", "--name must have 1 to 200 characters"),
        ("north", "N\udc80", "UTC", "cannot be printed"),
        ("north", "North", "Europe/Berlni", "'Europe/Berlni' is no time zone; did you mean Europe/Berlin?"),
        ("north", "North", "posix/Europe/Berlin", "is no time zone"),
        ("north", "North", "+02", "is no time zone, such as Europe/Berlin"),
        ("north", "North", "", "is no time zone"),
    ],
)
def test_a_business_that_cannot_be_is_refused_in_words(
    database: FreshDatabase, slug: str, name: str, time_zone: str, message: str
) -> None:
    with pytest.raises(CommandError) as refused:
        add_tenant(database.app_url, slug, name, time_zone)
    assert message in refused.value.detail
    assert rows(database, "SELECT FROM tenants") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email": "kim"}, "'kim' is not an e-mail address"),
        ({"email": "@north.example"}, "is not an e-mail address"),
        ({"email": "kim sand@north.example"}, "is not an e-mail address"),
        ({"email": "kim@north\udc80"}, "is not an e-mail address"),
        ({"email": "k@" + "n" * 253}, "is not an e-mail address"),
        ({"slug": "nowhere"}, "There is no business nowhere; add it with: opsboard tenant add nowhere"),
        ({"slug": "\udc80"}, "There is no business"),
        ({"full_name": "K" * 201}, "--name must have 0 to 200 characters"),
        ({"password": "\udc80 a long secret"}, "The password has characters that cannot be printed"),
    ],
)
def test_a_user_that_cannot_be_is_refused_in_words(
    database: FreshDatabase, changes: dict[str, str], message: str
) -> None:
    add_tenant(database.app_url, "north", "North", "UTC")
    with pytest.raises(CommandError) as refused:
        add_kim(database, **changes)
    assert message in refused.value.detail
    assert rows(database, "SELECT FROM users") == []


def test_what_is_there_already_stays_as_it_is(database: FreshDatabase) -> None:
    add_tenant(database.app_url, "north", "North", "UTC")
    add_kim(database)
    before = rows(database, "SELECT * FROM tenants"), rows(database, "SELECT * FROM users")
    with pytest.raises(CommandError, match="There is a business north already"):
        add_tenant(database.app_url, "north", "Another", "UTC")
    with pytest.raises(CommandError, match=r"KIM@north\.example is a user of north already"):
        add_kim(database, email="KIM@north.example", role="admin")
    assert (rows(database, "SELECT * FROM tenants"), rows(database, "SELECT * FROM users")) == before
    assert len(rows(database, "SELECT FROM audit_logs")) == 2


def test_a_database_that_is_not_migrated_is_named_as_the_reason(database: FreshDatabase) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        connection.cursor().execute("ALTER TABLE audit_logs RENAME TO elsewhere")
        connection.commit()
    with pytest.raises(CommandError, match=r"audit_logs.*opsboard migrate"):
        add_tenant(database.app_url, "north", "North", "UTC")
    assert rows(database, "SELECT FROM tenants") == []


def opsboard(database: FreshDatabase, *words: str, typed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "opsboard.cli", *words],
        input=typed,
        capture_output=True,
        check=False,
        env={**os.environ, "DATABASE_URL": database.app_url, "PYTHONUTF8": "1"},
    )


def test_the_commands_read_the_password_from_standard_input_and_never_show_it(
    database: FreshDatabase,
) -> None:
    added = opsboard(database, "tenant", "add", "north", "--name", "North Works")
    assert (added.returncode, added.stderr) == (0, b"")
    user = ("user", "add", "kim@north.example", "--tenant", "north", "--role", "operator")
    done = opsboard(database, *user, typed=b"a long secret\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"kim@north.example added to north as operator")
    assert b"secret" not in done.stdout
    ((password_hash,),) = rows(database, "SELECT password_hash FROM users")
    assert password_fits(password_hash, "a long secret")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (b"short\n", b"opsboard: A password has 10 to 200 characters; this one has 5.\n"),
        (b"", b"opsboard: A password has 10 to 200 characters; this one has 0.\n"),
        (b"1234567890\n", b"opsboard: This password is one of the first that are guessed; choose another.\n"),
        (b"k@n.example\n", b"opsboard: This password is made of a name or an address; choose another.\n"),
        (b"\xff\xfe a long secret\n", b"opsboard: The password on standard input is not UTF-8.\n"),
    ],
)
def test_a_password_that_will_not_do_is_one_line_and_exit_code_2(
    database: FreshDatabase, typed: bytes, message: bytes
) -> None:
    done = opsboard(
        database, "user", "add", "k@n.example", "--tenant", "north", "--role", "admin", typed=typed
    )
    assert (done.returncode, done.stderr, done.stdout) == (2, message, b"")


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(database: FreshDatabase) -> None:
    add_tenant(database.app_url, "north", "North", "UTC")
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "opsboard.cli", "user", "add", "kim@north.example"]
    with subprocess.Popen(
        [*command, "--tenant", "north", "--role", "admin"],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={**os.environ, "DATABASE_URL": database.app_url},
    ) as asking:
        os.close(end)
        shown = read_until(terminal, b"Password: ")
        os.write(terminal, b"a long secret\n")
        shown += read_until(terminal, b"Once more: ")
        os.write(terminal, b"a long secret\n")
        shown += read_until(terminal, b")")
        assert asking.wait(10) == 0
    os.close(terminal)
    assert b"secret" not in shown
    ((password_hash,),) = rows(database, "SELECT password_hash FROM users")
    assert password_fits(password_hash, "a long secret")


def read_until(terminal: int, end: bytes) -> bytes:
    """Return the output up to `end`; fails if the program ends before."""
    shown = b""
    while end not in shown:
        shown += os.read(terminal, 1000)
    return shown
