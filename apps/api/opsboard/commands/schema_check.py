"""Finds the statements of this version that do not run on the schema of a database: by preparing each of them."""

from __future__ import annotations

import psycopg2

from opsboard.commands.explain import PAGE_SIZE, known_queries
from opsboard.db.list_statement import Page, compose
from opsboard.db.prepared import statement
from opsboard.db.queries import Query
from opsboard.db.session import Cursor

# Several statements in one text, which run one after the other and cannot be prepared.
SEVERAL = "cannot insert multiple commands"
# Any value: the statement is not executed.
ANY = "1"


def check_statements(cursor: Cursor) -> tuple[int, list[str]]:
    """How many statements were prepared, and those that the server refuses, with its reason. In autocommit."""
    checked, refused = 0, []
    for query in known_queries().values():
        try:
            cursor.execute(statement(query.name, text_of(query)).prepare)
            checked += 1
        except psycopg2.Error as error:
            reason = str(error).strip().splitlines()[0]
            if SEVERAL not in reason:
                refused.append(f"{query.name}: {reason}")
    cursor.execute("DEALLOCATE ALL")
    return checked, refused


def text_of(query: Query) -> str:
    """The statement as the service sends it; of a list, with all its filters."""
    if not query.base:
        return query.sql
    page = Page(next(iter(query.sorts)), False, PAGE_SIZE)
    return compose(query, dict.fromkeys(query.filters, ANY), page)[0]
