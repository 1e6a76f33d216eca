"""The service's address on a server given with one address, whose role may do more than a service should."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password, parse_dsn

from opsboard.db.addresses import APPLICATION
from opsboard.db.row_security import role_dangers
from opsboard.db.session import connected
from opsboard.errors import CommandError

CONNECT_TIMEOUT = 5
ADVICE = (
    f"As an administrator: ALTER ROLE {APPLICATION} PASSWORD '...'; then set DATABASE_URL to {APPLICATION} with "
    "that password, and DATABASE_OWNER_URL to what DATABASE_URL is now."
)


def role_exists(owner_url: str) -> bool:
    """Return True if the server has the service's role, which the first migration makes otherwise."""
    with connected(owner_url, "demo") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (APPLICATION,))
        return cursor.fetchone() is not None


def application_url(url: str, owner_url: str, password: str, made_now: bool) -> str:
    """An address of the same database by a role that row security binds: `url` itself, if its role is such a one.

    Otherwise it is the application role's. It gets `password` if it has none yet: `made_now` says that it was
    made a moment ago. A password that somebody has set is never replaced. Raises CommandError.
    """
    if not role_dangers(url, CONNECT_TIMEOUT):
        require_grants(url)
        return url
    candidate = with_role(url, APPLICATION, password)
    refusal = refused(candidate)
    if refusal and (made_now or has_no_password(owner_url)):
        set_password(owner_url, password)
        refusal = refused(candidate)
    if refusal:
        raise CommandError(f"The service cannot sign in as {APPLICATION}: {refusal}. {ADVICE}")
    return candidate


def with_role(url: str, role: str, password: str) -> str:
    """The same address, for another role."""
    given = parse_dsn(url)
    # libpq's own rule.
    database = given.pop("dbname", None) or given.get("user")
    if not database:
        raise CommandError("DATABASE_URL must name its database.")
    parts = {**given, "user": role, "password": password}
    return f"postgresql:///{quote(database, safe='')}?{urlencode(parts, quote_via=quote)}"


def refused(url: str) -> str:
    """Why nobody gets in by an address; empty when it works."""
    try:
        with closing(psycopg2.connect(url, connect_timeout=CONNECT_TIMEOUT)):
            return ""
    except psycopg2.OperationalError as error:
        return " ".join(str(error).split()).rstrip(".")


def has_no_password(owner_url: str) -> bool:
    """Return True if the application role has no password; False also when we may not know."""
    with connected(owner_url, "demo") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('pg_authid', 'SELECT')")
        if cursor.fetchone() != (True,):
            return False
        cursor.execute("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = %s", (APPLICATION,))
        return cursor.fetchone() == (True,)


def set_password(owner_url: str, password: str) -> None:
    """Give the application role its password, in the form that the server's log may see."""
    with connected(owner_url, "demo") as connection, connection.cursor() as cursor:
        cursor.execute("SHOW password_encryption")
        ((method,),) = cursor.fetchall()
        coded = encrypt_password(password, APPLICATION, connection, method)
        try:
            cursor.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(APPLICATION), sql.Literal(coded))
            )
        except psycopg2.errors.InsufficientPrivilege as error:
            raise CommandError(f"This role may not give {APPLICATION} a password. {ADVICE}") from error


def require_grants(url: str) -> None:
    """Raise CommandError when a role that is no danger cannot read the tables either."""
    with connected(url, "demo") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_table_privilege('jobs', 'SELECT, INSERT, UPDATE')")
        ((role, may),) = cursor.fetchall()
    if not may:
        raise CommandError(
            f"{role} in DATABASE_URL may not use the tables; as their owner: GRANT {APPLICATION} TO {role};"
        )
