"""Lists and changes businesses and users: the statements of the API, run by the command line, which is no user."""

from __future__ import annotations

import json
from typing import Any

from opsboard.auth.attempts import sql as auth
from opsboard.auth.attempts import unlocking
from opsboard.db.operators import sql as db
from opsboard.db.queries import Query, load_queries
from opsboard.db.session import Cursor, connected, transaction
from opsboard.errors import CommandError
from opsboard.tenants.adding import bind_tenant, one_value, require_text, require_time_zone, sql
from opsboard.text import normal_form

users = load_queries("opsboard.features.users")
tenant = load_queries("opsboard.features.tenant")


def list_tenants(url: str) -> list[tuple[Any, ...]]:
    """Id, slug, name, time zone and number of people who can sign in, of each business."""
    with connected(url, "tenant list") as connection:
        found = []
        with connection.cursor() as cursor:
            businesses = one_value(cursor, db.list_businesses)
        # The service's role sees one business at a time.
        for tenant_id in businesses:
            with transaction(connection) as cursor:
                one_value(cursor, sql.bind_tenant_id, {"tenant_id": tenant_id})
                cursor.execute(sql.show_tenant.sql)
                found += [(tenant_id, *row) for row in cursor.fetchall()]
        return found


def list_users(url: str, slug: str) -> list[tuple[Any, ...]]:
    """Id, address, role, state and name of everybody of a business. Raises CommandError."""
    with connected(url, "user list") as connection, transaction(connection) as cursor:
        bind_tenant(cursor, slug)
        cursor.execute(sql.show_users.sql)
        return cursor.fetchall()


def change_tenant(url: str, slug: str, name: str | None, time_zone: str | None) -> None:
    """Give a business another name or time zone. Raises CommandError."""
    if name is not None:
        name = normal_form(name)
        require_text("--name", name, longest=200)
    with connected(url, "tenant change") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        if time_zone is not None:
            require_time_zone(cursor, time_zone)
        given = {"name": name, "time_zone": time_zone}
        apply(cursor, tenant.update_tenant, tenant_id, {k: v for k, v in given.items() if v is not None})


def change_user(url: str, slug: str, email: str, **changes: Any) -> None:
    """Change full_name, role or is_active of a user, as an admin can. Raises CommandError."""
    if "full_name" in changes:
        changes["full_name"] = normal_form(changes["full_name"])
        require_text("--name", changes["full_name"], longest=200, shortest=0)
    with connected(url, "user change") as connection, transaction(connection) as cursor:
        tenant_id = bind_tenant(cursor, slug)
        wanted_id, _ = require_user(cursor, slug, email)
        apply(cursor, users.update_user, tenant_id, changes, wanted_id=wanted_id)


def unlock_user(url: str, slug: str, email: str) -> None:
    """Let a user who was refused after too many wrong passwords try again at once. Raises CommandError."""
    with connected(url, "user unlock") as connection, transaction(connection) as cursor:
        bind_tenant(cursor, slug)
        _, stored = require_user(cursor, slug, email)
        cursor.execute(auth.unlock_account.sql, unlocking(stored))


def require_user(cursor: Cursor, slug: str, email: str) -> tuple[int, str]:
    """Id and address of a user of the business that is bound. Raises CommandError."""
    cursor.execute(sql.find_user.sql, {"email": normal_form(email)})
    row = cursor.fetchone()
    if row is None:
        raise CommandError(f"{slug} has no user {email}; see: opsboard user list --tenant {slug}")
    return row[0], row[1]


def apply(cursor: Cursor, query: Query, tenant_id: int, patch: dict[str, Any], **parameters: Any) -> None:
    """Run a write of the API for nobody. Raises CommandError for what it refuses."""
    cursor.execute(
        query.sql,
        {
            "tenant_id": tenant_id,
            "user_id": None,
            "request_id": None,
            "patch": json.dumps(patch),
            **parameters,
        },
    )
    _, _, problem, detail = cursor.fetchone() or (None, None, "gone", "It is not there any more.")
    if problem:
        raise CommandError(detail)
