"""Checks the addresses of an import by the check of the API, and brings them into the form it stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from opsboard.imports.plan import Place, TablePlan
from opsboard.imports.rules import Rule
from opsboard.text import email_address, recipient_address

# Of each kind: the check, and what a value is not that fails it.
CHECKS: dict[str, tuple[Callable[[str], str], str]] = {
    "email": (email_address, "is not an e-mail address"),
    "recipient": (
        lambda value: recipient_address(value)[0],
        "is neither an e-mail address nor a telephone number",
    ),
}
# Addresses that the check passes unchanged (a test holds the two together). Only the others are fetched.
PLAIN = r"^[a-z0-9_]+([.+-][a-z0-9_]+)*@([a-z0-9]+(-[a-z0-9]+)*\.)+(?!(arpa|onion|localhost)$)[a-z]{2,}$"
LONGEST_PLAIN = 63  # as the longest label of a domain

OTHERS = sql.SQL("""
SELECT DISTINCT r.{column}
FROM {rows} AS r
WHERE NOT r.damaged
    AND r.{column} IS NOT NULL
    AND NOT (length(r.{column}) <= {longest} AND r.{column} ~ {plain})
""")
# `stored` is null where the value is no address.
CREATE = sql.SQL("CREATE TEMP TABLE {judged} (value text PRIMARY KEY, stored text) ON COMMIT DROP")
BROKEN = sql.SQL("{column} IN (SELECT a.value FROM {judged} AS a WHERE a.stored IS NULL)")
STORE = sql.SQL("""
UPDATE {rows} AS r
SET {column} = a.stored
FROM {judged} AS a
WHERE r.{column} = a.value
    AND a.stored <> a.value
    AND NOT r.damaged
""")


def address_rules(cursor: Cursor, table: TablePlan) -> Iterator[tuple[Place, Rule]]:
    """Judge the address columns of a table and bring the good ones into form; the rules that the others break."""
    for column, value in table.columns:
        if not column.address:
            continue
        check, reason = CHECKS[column.address]
        name = sql.Identifier(column.name)
        judged = sql.Identifier(f"import_{table.name}_{column.name}")
        cursor.execute(
            OTHERS.format(
                column=name, rows=table.rows, plain=sql.Literal(PLAIN), longest=sql.Literal(LONGEST_PLAIN)
            )
        )
        others = [address for (address,) in cursor.fetchall()]
        cursor.execute(CREATE.format(judged=judged))
        execute_values(
            cursor, sql.SQL("INSERT INTO {} VALUES %s").format(judged), judge(others, check), page_size=1000
        )
        cursor.execute(STORE.format(column=name, rows=table.rows, judged=judged))
        target = f"{table.target.table}.{column.name}"
        yield (
            table.place(*value.sources),
            Rule(BROKEN.format(column=name, judged=judged), name, reason, target),
        )


def judge(values: list[str], check: Callable[[str], str]) -> Iterator[tuple[str, str | None]]:
    """Each value with the form it is stored in, None where it is no address."""
    for value in values:
        try:
            yield value, check(value)
        except ValueError:
            yield value, None
