"""True if the role the service connects as could get around row security."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from opsboard.db.queries import load_queries
from opsboard.errors import ConfigError, DatabaseUnavailable

sql = load_queries("opsboard.db")


def require_address(setting: str, url: str) -> None:
    """Raise ConfigError for an address libpq cannot take; what libpq says may hold parts of a password."""
    try:
        parts = parse_dsn(url)
    except psycopg2.ProgrammingError:
        parts = {"port": "none"}
    ports = str(parts.get("port", "5432")).split(",")
    if "@" in parts.get("host", "") or not all(port.isdecimal() for port in ports):
        raise ConfigError(
            [f"{setting} is not a PostgreSQL address; in a password write % @ : / as %25 %40 %3A %2F"]
        ) from None


def role_dangers(url: str, connect_timeout: int) -> list[str]:
    """Run role_dangers_of over a connection of its own. Raises DatabaseUnavailable with the reason."""
    try:
        with closing(
            psycopg2.connect(url, connect_timeout=connect_timeout, fallback_application_name="opsboard check")
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(sql.role_facts.sql)
            (facts,) = cursor.fetchone() or ("{}",)
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(" ".join(str(error).split())) from error
    return role_dangers_of(json.loads(facts))


def role_dangers_of(facts: Mapping[str, Any]) -> list[str]:
    """Each way around row security that a role has, as the end of "role ..."; none when it is safe."""
    role = facts["role"]
    if facts["superuser"]:
        return [f"{role} is a superuser"]
    dangers = []
    if facts["bypassrls"]:
        dangers.append(f"{role} has BYPASSRLS")
    if facts["createrole"]:
        dangers.append(f"{role} has CREATEROLE and could make itself a member of the owner")
    for other in facts["exempt_memberships"]:
        dangers.append(f"{role} is a member of {other}, which is exempt from row security")
    for owner, tables in facts["owned"].items():
        who = "owns" if owner == role else f"is a member of {owner}, which owns"
        dangers.append(f"{role} {who} {tables} of the tables and could switch their row security off")
    return dangers
