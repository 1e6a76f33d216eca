"""The database: reachable, of a known version, migrated, closed between tenants, with room for all workers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import psycopg2

from opsboard.commands.findings import Findings
from opsboard.config import Config
from opsboard.db.addresses import owner_url, service_url
from opsboard.db.index_catalogue import find_faults, read_catalogue
from opsboard.db.index_catalogue import sql as db
from opsboard.db.migrations import Migrator, default_folder
from opsboard.db.operators import find_operator_faults
from opsboard.db.queries import load_queries
from opsboard.db.row_security import require_address, role_dangers_of
from opsboard.db.row_security import sql as row_security
from opsboard.db.schema_version import in_words, missing_migrations
from opsboard.db.session import Cursor, DatabaseSays, connected
from opsboard.errors import CommandError, MigrationError
from opsboard.features.health.advice import DELIVERIES_LATE, OWN_CONNECTIONS, Advice, advise_on_limits

sql = load_queries("opsboard.commands")
health = load_queries("opsboard.features.health")

OLDEST, NEWEST = 14, 18
NOTICEABLE, WRONG = 1.0, 60.0  # seconds between two clocks


def check_database(config: Config, findings: Findings) -> None:
    """All checks that need a connection, as the service's own role."""
    url = service_url(config)
    require_address("DATABASE_URL", url)
    try:
        with connected(url, "doctor") as connection, connection.cursor() as cursor:
            for check in CHECKS:
                check(config, cursor, findings)
            if owner_url(config) == url:
                check_applied(cursor, findings)
                return
    except DatabaseSays as error:
        findings.fail("database", error.reason, error.advice or "see the server's log")
        if owner_url(config) == url:
            return
    except CommandError as error:
        findings.fail("database", error.detail, "look at the server and its machine; restart what hangs")
        return
    # Also when the service's role cannot get in: the first migration makes it.
    check_migrations(config, findings)


def check_server(config: Config, cursor: Cursor, findings: Findings) -> None:
    """Its version and its clock."""
    before = time.time()
    cursor.execute(sql.server.sql)
    (version, number, database, role, there), here = row(cursor), (before + time.time()) / 2
    message = f"PostgreSQL {version}, database {database}, role {role}"
    if number // 10000 < OLDEST:
        findings.fail("database", message, f"PostgreSQL {OLDEST} or newer is needed")
    elif number // 10000 > NEWEST:
        findings.warn("database", message, f"tested with {OLDEST} to {NEWEST}")
    else:
        findings.ok("database", message)
    skew = there - here
    told = f"the database's is {abs(skew):.2f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) > WRONG:
        findings.fail("clock", told, "run NTP on both machines: tokens and due dates go by these clocks")
    elif abs(skew) > NOTICEABLE:
        findings.warn("clock", told, "run NTP on both machines")
    else:
        findings.ok("clock", told)


def check_role(config: Config, cursor: Cursor, findings: Findings) -> None:
    cursor.execute(row_security.role_facts.sql)
    facts = json.loads(row(cursor)[0])
    dangers = role_dangers_of(facts)
    for danger in dangers:
        tell: Callable[[str, str, str], None] = findings.fail if config.production else findings.warn
        tell("role", f"{danger}: row security does not bind it", "set DATABASE_URL to opsboard_app")
    if not dangers:
        findings.ok("role", f"{facts['role']} cannot get around row security")


def check_tables(config: Config, cursor: Cursor, findings: Findings) -> None:
    """Row security on every table."""
    cursor.execute(sql.unprotected_tables.sql)
    for table, enabled, _ in cursor.fetchall():
        missing = "FORCE" if enabled else "ENABLE"
        findings.fail(
            "tables",
            f"{table} is not closed between tenants",
            f"ALTER TABLE {table} {missing} ROW LEVEL SECURITY",
        )
    cursor.execute(sql.count_tables.sql)
    tables = row(cursor)[0]
    if not tables:
        findings.fail("tables", "there are none", "run opsboard migrate")
        return
    findings.ok("tables", f"row security on {tables} tables")
    check_indexes(cursor, findings)


def check_indexes(cursor: Cursor, findings: Findings) -> None:
    """Those of the migrations that are missing, and any that an interrupted build left behind."""
    faults = find_faults(cursor, read_catalogue())
    for state in sorted({fault.state for fault in faults}):
        names = ", ".join(fault.index.name for fault in faults if fault.state == state)
        findings.fail("indexes", f"{state}: {names}", "run opsboard indexes build")
    cursor.execute(db.present_indexes.sql)
    known = {fault.index.name for fault in faults}
    strange = [
        name for name, _, valid, building in cursor.fetchall() if not (valid or building or name in known)
    ]
    if strange:
        findings.fail("indexes", f"invalid: {', '.join(strange)}", "REINDEX INDEX CONCURRENTLY, or drop them")
    if not faults and not strange:
        findings.ok("indexes", "all there and valid")


def check_operators(config: Config, cursor: Cursor, findings: Findings) -> None:
    """Whose admins see what belongs to the whole service."""
    try:
        faults = find_operator_faults(config, cursor)
    except psycopg2.errors.UndefinedFunction:
        return  # the first migrations are missing, which another check says
    for fault in faults:
        findings.warn("operators", fault, "set it to the ids of those who run it: opsboard tenant list")
    if not faults:
        named = ", ".join(map(str, config.operator_tenants))
        told = f"admins of {named}" if named else "OPERATOR_TENANTS is not needed"
        findings.ok("operators", told)


def check_connections(config: Config, cursor: Cursor, findings: Findings) -> None:
    """Compare the connections that all workers may open with the server's limit."""
    cursor.execute(health.server_limits.sql)
    server = json.loads(row(cursor)[0])
    advice = Advice()
    advise_on_limits(config, server, advice, config.web_concurrency)
    for warning, recommendation in zip(advice.warnings, advice.recommendations, strict=False):
        findings.warn("connections", warning, recommendation)
    if not advice.warnings:
        wanted = config.web_concurrency * (config.db_pool_max_connections + OWN_CONNECTIONS)
        allowed = server["max_connections"] - server["reserved_connections"]
        findings.ok("connections", f"this machine may open {wanted}; the server allows {allowed}")


def check_deliveries(config: Config, cursor: Cursor, findings: Findings) -> None:
    """Report whether webhooks and mail are sent."""
    try:
        cursor.execute(sql.oldest_delivery.sql)
    except psycopg2.errors.UndefinedFunction:
        return  # migrations are missing, which another check says
    age = row(cursor)[0]
    mail = f"mail by {config.smtp_host}" if config.smtp_host else "no mail server is set"
    if age is not None and age > DELIVERIES_LATE:
        findings.warn(
            "deliveries",
            f"a webhook or a mail has waited for {age / 3600:.1f} h; {mail}",
            "GET /api/webhooks/deliveries?status=waiting has the errors; opsboard journeys run sends",
        )
    else:
        findings.ok("deliveries", f"none is late; {mail}")


def check_applied(cursor: Cursor, findings: Findings) -> None:
    """Report whether the schema is that of this version, as far as the service's role may see."""
    if missing := missing_migrations(cursor):
        findings.fail("migrations", in_words(missing), "run opsboard migrate, with DATABASE_OWNER_URL")
    else:
        findings.ok("migrations", "all of this version are applied")


def check_migrations(config: Config, findings: Findings) -> None:
    """Report whether the schema is that of this version, and its files those that were applied."""
    try:
        status = Migrator(owner_url(config), default_folder()).status()
    except MigrationError as error:
        findings.fail("migrations", error.detail, "correct DATABASE_OWNER_URL: the role that owns the tables")
        return
    pending = [line.id for line in status if line.state in {"pending", "unfinished"}]
    odd = [f"{line.id}: {line.state}" for line in status if line.state in {"changed", "missing file"}]
    if pending:
        findings.fail("migrations", f"pending: {', '.join(pending)}", "run opsboard migrate")
    if odd:
        findings.warn(
            "migrations", "; ".join(odd), "use the release that applied them, or put the files back"
        )
    if not pending and not odd:
        findings.ok("migrations", f"{len(status)} applied, none pending")


def row(cursor: Cursor) -> tuple[Any, ...]:
    found = cursor.fetchone()
    assert found is not None  # these statements have exactly one row
    return found


CHECKS = (check_server, check_role, check_operators, check_connections, check_tables, check_deliveries)
