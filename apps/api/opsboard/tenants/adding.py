"""Adds businesses and users as the role of the service: row security checks what the command line does, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from opsboard.auth.attempts import sql as auth
from opsboard.auth.attempts import unlocking
from opsboard.auth.password_rules import check_new_password
from opsboard.auth.passwords import hash_password
from opsboard.db.queries import Query, load_queries
from opsboard.db.session import Cursor, connected, transaction
from opsboard.errors import CommandError
from opsboard.text import email_address, normal_form

sql = load_queries(__package__)

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def add_tenant(url: str, slug: str, name: str, time_zone: str) -> int:
    """The id of the new business. Raises CommandError."""
    if not SLUG.fullmatch(slug):
        raise CommandError(
            f"{slug!r} is no slug: up to 63 lower-case letters, digits and hyphens, not a hyphen first."
        )
    name = normal_form(name)
    require_text("--name", name, longest=200)
    with connected(url, "tenant add") as connection, transaction(connection) as cursor:
        require_time_zone(cursor, time_zone)
        one_value(cursor, sql.bind_new_tenant)
        added = one_value(cursor, sql.add_tenant, {"slug": slug, "name": name, "time_zone": time_zone})
    if added is None:
        raise CommandError(f"There is a business {slug} already.")
    return int(added)


def add_user(url: str, slug: str, *, email: str, role: str, full_name: str, password: str) -> int:
    """The id of the new user. Raises CommandError."""
    try:
        email = email_address(email)
    except ValueError as error:
        raise CommandError(f"{email!r} {error}") from error
    full_name = normal_form(full_name)
    require_text("--name", full_name, longest=200, shortest=0)
    require_password(password, email, full_name, slug)
    user = {"email": email, "role": role, "full_name": full_name, "password_hash": hash_password(password)}
    with connected(url, "user add") as connection, transaction(connection) as cursor:
        bind_tenant(cursor, slug)
        added = one_value(cursor, sql.add_user, user)
    if added is None:
        raise CommandError(
            f"{email} is a user of {slug} already; another password: "
            f"opsboard user password {email} --tenant {slug}"
        )
    return int(added)


def set_password(url: str, slug: str, *, email: str, password: str) -> int:
    """The id of the user, who signs in with this password from now on. Raises CommandError."""
    require_password(password, email, slug)
    user = {"email": normal_form(email), "password_hash": hash_password(password)}
    with connected(url, "user password") as connection, transaction(connection) as cursor:
        bind_tenant(cursor, slug)
        changed = one_value(cursor, sql.set_password, user)
        cursor.execute(auth.unlock_account.sql, unlocking(user["email"]))
    if changed is None:
        raise CommandError(
            f"{slug} has no user {email}; add them with: opsboard user add {email} --tenant {slug} --role ROLE"
        )
    return int(changed)


def bind_tenant(cursor: Cursor, slug: str) -> int:
    """From here on the transaction sees this business; its id. Raises CommandError."""
    tenant_id = one_value(cursor, sql.bind_tenant, {"slug": slug}) if SLUG.fullmatch(slug) else None
    if tenant_id is None:
        raise CommandError(
            f"There is no business {slug}; add it with: opsboard tenant add {slug} --name NAME"
        )
    return int(tenant_id)


def require_time_zone(cursor: Cursor, time_zone: str) -> None:
    """Raise CommandError unless the server knows the time zone."""
    cursor.execute(sql.list_time_zones.sql)
    known = [name for (name,) in cursor.fetchall()]
    if time_zone in known:
        return
    near = get_close_matches(time_zone, known, n=1)
    raise CommandError(
        f"{time_zone!r} is no time zone"
        + (f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin.")
    )


def require_text(what: str, value: str, *, longest: int, shortest: int = 1) -> None:
    """Raise CommandError for text that is too long or that cannot be stored."""
    if not shortest <= len(value.strip()) or len(value) > longest:
        raise CommandError(f"{what} must have {shortest} to {longest} characters.")
    if not value.isprintable():
        raise CommandError(f"{what} has characters that cannot be printed.")


def require_password(password: str, *names: str) -> None:
    """Raise CommandError for a password that would be guessed, or that cannot be stored."""
    try:
        check_new_password(password, names)
    except ValueError as error:
        raise CommandError(str(error)) from None
    require_text("The password", password, longest=len(password))


def one_value(cursor: Cursor, query: Query, parameters: Mapping[str, Any] | None = None) -> Any:
    """The first column of the first row, or None."""
    cursor.execute(query.sql, parameters)
    row = cursor.fetchone()
    return row[0] if row else None
