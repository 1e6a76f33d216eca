"""Lets people and programs in from the command line: the statements of the API, run by no user."""

from __future__ import annotations

import json
from typing import Any

from opsboard.auth.api_tokens import ApiTokens, hash_of
from opsboard.auth.links import PASSWORD, Link, write_token
from opsboard.auth.revocations import Revocations
from opsboard.db.queries import Query, load_queries
from opsboard.db.session import Cursor, connected, transaction
from opsboard.errors import CommandError
from opsboard.tenants.adding import bind_tenant, require_text, sql
from opsboard.tenants.changing import require_user
from opsboard.text import email_address, normal_form

users = load_queries("opsboard.features.users")
tokens = load_queries("opsboard.features.tokens")

DAYS = 7


def invite_user(
    url: str, secret: str, slug: str, *, email: str, role: str, full_name: str, is_service: bool
) -> str | None:
    """The token of the invitation; None for a service account, which needs none. Raises CommandError."""
    try:
        email = email_address(email)
    except ValueError as error:
        raise CommandError(f"{email!r} {error}") from error
    full_name = normal_form(full_name)
    require_text("--name", full_name, longest=200, shortest=0)
    user = {"email": email, "new_role": role, "full_name": full_name, "is_service": is_service}
    with connected(url, "user invite") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        made = write(cursor, users.create_user, tenant_id, **user, expires_in_days=DAYS, by_mail=False)
        return None if is_service else token_of(cursor, secret, tenant_id, made["password_link"]["id"])


def new_password_link(url: str, secret: str, slug: str, email: str) -> str:
    """The token of a new invitation or reset link; the one before it ends. Raises CommandError."""
    with connected(url, "user link") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        wanted_id, _ = require_user(cursor, slug, email)
        link = {"wanted_id": wanted_id, "expires_in_days": DAYS, "by_mail": False}
        made = write(cursor, users.create_password_link, tenant_id, **link)
        return token_of(cursor, secret, tenant_id, made["id"])


def hand_over(url: str, slug: str, email: str, to: str | None, deactivate: bool) -> dict[str, Any]:
    """How many steps, leads and approvals went to another person, or to nobody. Raises CommandError."""
    with connected(url, "user hand-over") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        wanted_id, _ = require_user(cursor, slug, email)
        to_user_id = None if to is None else require_user(cursor, slug, to)[0]
        return write(
            cursor,
            users.hand_over,
            tenant_id,
            wanted_id=wanted_id,
            to_user_id=to_user_id,
            deactivate=deactivate,
        )


def add_token(
    url: str, secret: str, slug: str, *, email: str, name: str, scopes: tuple[str, ...], days: int
) -> str:
    """A new API token of a user or a service account. Raises CommandError."""
    name = normal_form(name)
    require_text("NAME", name, longest=200)
    maker = ApiTokens(secret, Revocations())
    with connected(url, "token add") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        user_id, _ = require_user(cursor, slug, email)
        hint = maker.new_hint(tenant_id)
        token = maker.token_of(hint)
        write(
            cursor,
            tokens.create_token,
            tenant_id,
            of_user_id=user_id,
            name=name,
            scopes=list(dict.fromkeys(scopes)),
            areas=None,
            hint=hint,
            token_hash=hash_of(token),
            expires_in_days=days,
        )
        return token


def list_tokens(url: str, slug: str) -> list[tuple[Any, ...]]:
    """Id, name, user, scopes, end, last use and hint of the API tokens of a business. Raises CommandError."""
    with connected(url, "token list") as connection, transaction(connection) as cursor:
        bind_tenant(cursor, slug)
        cursor.execute(sql.show_tokens.sql)
        return cursor.fetchall()


def revoke_token(url: str, slug: str, token_id: int) -> None:
    """End an API token on every worker. Raises CommandError."""
    with connected(url, "token revoke") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        write(cursor, tokens.revoke_token, tenant_id, api_token_id=token_id)


def token_of(cursor: Cursor, secret: str, tenant_id: int, link_id: int) -> str:
    """The token of a link that was just made."""
    cursor.execute(sql.link_end.sql, {"link_id": link_id})
    (expires_at,) = cursor.fetchone() or (0,)
    return write_token(secret, Link(tenant_id, link_id, int(expires_at)), PASSWORD)


def write(cursor: Cursor, query: Query, tenant_id: int, **parameters: Any) -> dict[str, Any]:
    """Run a write of the API as an admin who is no user; the document it answers with. Raises CommandError."""
    caller = {"tenant_id": tenant_id, "user_id": None, "role": "admin", "request_id": None}
    cursor.execute(query.sql, {**parameters, **caller})
    document, _, problem, detail = cursor.fetchone() or (None, None, "gone", "There is no such thing here.")
    if problem:
        raise CommandError(detail)
    made: dict[str, Any] = json.loads(document)
    return made
