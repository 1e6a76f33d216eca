"""One tenant never sees another: row security alone is enough, the predicates alone are enough, and neither erodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege

from tests.application import Application
from tests.contract.catalogue import all_queries, shapes
from tests.contract.tables import APPENDED, EXTRAS, NOT_WRITTEN, SHARED, TABLES

BOOKKEEPING = re.compile(r"migration")
INITPLAN = re.compile(
    r"\( SELECT \(NULLIF\(current_setting\('app\.tenant_id'::text, true\), ''::text\)\)::bigint AS \"?nullif\"?\)"
)
PREDICATE = re.compile(r"\b\w+\.tenant_id = %\(tenant_id\)s")


@contextmanager
def cursor(url: str, tenant: int | None = None) -> Iterator[Any]:
    """A cursor in a transaction that is rolled back."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as opened:
        if tenant is not None:
            opened.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant),))
        yield opened
        connection.rollback()


def faults(cur: Any) -> list[str]:
    """Everything about the schema that would weaken the wall between tenants."""
    found = []
    cur.execute("""
        SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relkind, pg_get_userbyid(c.relowner)
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    """)
    for oid, table, enabled, forced, kind, owner in cur.fetchall():
        if BOOKKEEPING.search(table):
            continue
        if kind not in "rp":
            found.append(f"{table} is a view: row security would be its owner's")
            continue
        if not (enabled and forced):
            found.append(f"{table}: row security is not enabled and forced")
        if owner == "opsboard_app":
            found.append(f"{table} belongs to the application's role")
        found += policy_faults(cur, oid, table)
        if table not in SHARED:
            found += key_faults(cur, oid, table)
    cur.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = 'opsboard_app'"
    )
    if cur.fetchone()[0]:
        found.append("opsboard_app can bypass row security")
    cur.execute("SELECT count(*) FROM pg_auth_members WHERE member = 'opsboard_app'::regrole")
    if cur.fetchone()[0]:
        found.append("opsboard_app is a member of another role")
    return found


def policy_faults(cur: Any, oid: int, table: str) -> list[str]:
    """A table has its own policy, and beside it those that are known, each exactly as it is known."""
    key = "id" if table == "tenants" else "tenant_id"
    cur.execute(POLICIES, (oid,))
    found, extras, isolated = [], {}, False
    for name, command, roles, using, check in cur.fetchall():
        if name == f"{table}_isolation":
            isolated = (command, roles) == ("*", "public") and all(
                expression and expression.startswith(f"({key} = ") and INITPLAN.search(expression)
                for expression in (using, check)
            )
        else:
            extras[table, name] = (command, roles, using, check)
    wanted = {named: policy for named, policy in EXTRAS.items() if named[0] == table}
    if extras != wanted:
        found.append(f"{table}: policies {extras} instead of {wanted}")
    if not isolated and table not in SHARED:
        found.append(f"{table}: lacks its policy for all commands, in the (SELECT ...) form")
    return found


POLICIES = """
SELECT
    p.polname,
    p.polcmd,
    CASE
        WHEN p.polroles = ARRAY[c.relowner] THEN 'owner'
        WHEN p.polroles = ARRAY[0::oid] THEN 'public'
        ELSE p.polroles::text
    END,
    pg_get_expr(p.polqual, p.polrelid),
    pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
WHERE p.polrelid = %s
"""


def key_faults(cur: Any, oid: int, table: str) -> list[str]:
    """Primary, unique and foreign keys, and indexes, begin with the tenant."""
    if table == "tenants":
        return []
    cur.execute(
        r"""
        -- A GiST index has the tenant as a range of one value: its own operators for numbers are an extension's.
        SELECT
            i.indexrelid::regclass::text,
            coalesce(
                a.attname, substring(pg_get_indexdef(i.indexrelid, 1, true) FROM '^int8range\(([a-z_]+), \1, ')
            )
        FROM pg_index AS i
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = %s
        UNION ALL
        SELECT o.conname, a.attname
        FROM pg_constraint AS o
        JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = o.conkey[1]
        WHERE o.conrelid = %s AND o.contype = 'f'
        """,
        (oid, oid),
    )
    # Sign-in and the change feed look across tenants, by design.
    across = {"idx_users_email", "idx_revocations_xid", "idx_changes_xid", "idx_rollup_deltas_xid"}
    return [
        f"{table}: {name} begins with {first}"
        for name, first in cur.fetchall()
        if first != "tenant_id" and name not in across
    ]


def test_the_schema_has_no_fault(app: Application) -> None:
    with cursor(app.database.superuser_url) as cur:
        assert faults(cur) == []


WEAKENINGS = [
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY {table}_isolation ON {table}",
    "ALTER POLICY {table}_isolation ON {table} USING (true)",
    "ALTER POLICY {table}_isolation ON {table} WITH CHECK (true)",
    "ALTER POLICY {table}_isolation ON {table} USING ({key} = current_setting('app.tenant_id')::bigint)",
    "CREATE POLICY everybody ON {table} USING (true)",
    "ALTER TABLE {table} OWNER TO opsboard_app",
    "CREATE VIEW leak AS SELECT * FROM {table}",
    "ALTER ROLE opsboard_app BYPASSRLS",
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("weakening", WEAKENINGS)
def test_each_weakening_of_each_table_is_seen(app: Application, table: str, weakening: str) -> None:
    with cursor(app.database.superuser_url) as cur:
        cur.execute(weakening.format(table=table, key="id" if table == "tenants" else "tenant_id"))
        assert faults(cur) != []


def test_every_table_is_looked_at(app: Application) -> None:
    with cursor(app.database.superuser_url) as cur:
        cur.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {name for (name,) in cur.fetchall() if not BOOKKEEPING.search(name)} == set(TABLES) | SHARED


def answers(application: Application, url: str, without_predicates: bool) -> str:
    """Everything that all reading queries answer for alpha, over that connection."""
    seen = []
    with cursor(url, application.alpha.id) as cur:
        for query in all_queries():
            if query.writes or query.name.startswith(("health", "fleet")):
                continue
            for _, sql, params in shapes(query):
                if without_predicates:
                    sql = PREDICATE.sub("true", sql)
                cur.execute(sql, {**params, "tenant_id": application.alpha.id, "page_size": 100})
                seen.append(str(cur.fetchall()))
    return "\n".join(seen).lower()


def test_row_security_alone_keeps_tenants_apart(app: Application) -> None:
    seen = answers(app, app.database.app_url, without_predicates=True)
    assert seen.count(app.alpha.canary) > 1000
    assert app.beta.canary not in seen


def test_the_predicates_alone_keep_tenants_apart(app: Application) -> None:
    seen = answers(app, app.database.superuser_url, without_predicates=False)
    assert seen.count(app.alpha.canary) > 1000
    assert app.beta.canary not in seen


def test_with_neither_this_test_would_see_the_leak(app: Application) -> None:
    assert app.beta.canary in answers(app, app.database.superuser_url, without_predicates=True)


# Ids and names of tables, which every worker reads for all businesses.
READ_BY_ALL = {"revocations", "changes"}


@pytest.mark.parametrize("table", [table for table in TABLES if table not in {"tenants", *READ_BY_ALL}])
def test_rows_of_another_tenant_can_be_neither_written_nor_changed(app: Application, table: str) -> None:
    with cursor(app.database.app_url, app.alpha.id) as cur:
        cur.execute(f"SELECT count(*) FROM {table} WHERE tenant_id <> %s", (app.alpha.id,))
        assert cur.fetchone() == (0,)
        if table in NOT_WRITTEN:
            for change in ("INSERT INTO {} (tenant_id) VALUES (%s)", "DELETE FROM {} WHERE tenant_id = %s"):
                cur.execute("SAVEPOINT before")
                with pytest.raises(InsufficientPrivilege):
                    cur.execute(change.format(table), (app.alpha.id,))
                cur.execute("ROLLBACK TO before")
        elif table not in APPENDED:
            cur.execute(f"UPDATE {table} SET created_at = now() WHERE tenant_id = %s", (app.beta.id,))
            assert cur.rowcount == 0
            with pytest.raises(InsufficientPrivilege):
                cur.execute(f"UPDATE {table} SET tenant_id = %s", (app.beta.id,))


def test_without_a_tenant_nothing_is_seen(app: Application) -> None:
    with cursor(app.database.app_url) as cur:
        for table in set(TABLES) - READ_BY_ALL:
            cur.execute(f"SELECT count(*) FROM {table}")
            assert cur.fetchone() == (0,), table


def test_changes_hold_nothing_but_ids_and_names(app: Application) -> None:
    with cursor(app.database.superuser_url) as cur:
        cur.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'changes'::regclass AND attnum > 0")
        assert {name for (name,) in cur.fetchall()} == {"tenant_id", "xid", "at", "table_name"}
        for notes in ("changes", "changes_of_deltas('3:3:')"):
            cur.execute(f"SELECT coalesce(array_agg(DISTINCT table_name), '{{}}') FROM {notes}")
            assert set(cur.fetchone()[0]) <= set(TABLES)


@pytest.mark.parametrize(
    "function",
    ["rebuild_rollups(1)", "hold_rollups()", "watch_changes('jobs')", "new_partition('jobs', 'x')"],
)
def test_the_service_may_not_keep_up_what_the_owner_does(app: Application, function: str) -> None:
    with cursor(app.database.app_url, app.alpha.id) as cur, pytest.raises(InsufficientPrivilege):
        cur.execute(f"SELECT {function}")


@pytest.mark.parametrize("table", APPENDED)
def test_history_can_only_grow(app: Application, table: str) -> None:
    for change in (f"UPDATE {table} SET created_at = now()", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with cursor(app.database.app_url, app.alpha.id) as cur, pytest.raises(InsufficientPrivilege):
            cur.execute(change)
