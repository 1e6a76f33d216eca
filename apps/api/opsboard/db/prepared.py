"""Prepare the statements that run often, so that Postgres plans each of them once per connection.

A statement is prepared in a message of its own and then executed by name, in one message with the tenant binding. Most
of an uncached answer used to be planning the same text again.

The plan cache of Postgres decides between a generic and a custom plan (`plan_cache_mode = auto`). An `EXECUTE` whose
statement is gone or outdated is repeated as plain text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import psycopg2
import structlog
from psycopg2 import errors

from opsboard.db.connection import PooledConnection
from opsboard.db.disconnects import is_disconnect

Row = tuple[Any, ...]
log = structlog.get_logger(__name__)

PLACEHOLDER = re.compile(r"(?P<limit>\bLIMIT )?%\((?P<name>\w+)\)s")
LIMIT = re.compile(r"\bLIMIT %\((\w+)\)s")
# Postgres infers the type of each other parameter from the place of its first mention.
TYPES: Mapping[str, str] = {"tenant_id": "bigint", "user_id": "bigint", "role": "text"}
TEXTS_KEPT = 2000
# In a text of which a generic plan would read rows in vain: it is always sent as text and planned for its values.
CUSTOM_PLAN = "/* custom plan */"
# A text that runs only once is not worth a second message.
WORTH_PREPARING = 2


class Statement:
    """The prepared form of one text. `execute` still has the placeholders of its values."""

    def __init__(self, query_name: str, sql: str, limits: tuple[tuple[str, int], ...]) -> None:
        numbers: dict[str, int] = {}
        constants = dict(limits)

        def numbered(found: re.Match[str]) -> str:
            name = found["name"]
            if found["limit"] and name in constants:
                return f"LIMIT {constants[name]:d}"
            return f"{found['limit'] or ''}${numbers.setdefault(name, len(numbers) + 1)}"

        body = PLACEHOLDER.sub(numbered, sql)
        self.parameters = tuple(numbers)  # $1, $2 ...
        types = ", ".join(TYPES.get(name, "unknown") for name in numbers)
        values = ", ".join(f"%({name})s" for name in numbers)
        # A digest of the text: one name never stands for two texts, not even on a server connection that a pooler
        # shares between processes of different releases.
        self.name = "opsboard_" + hashlib.sha256(body.encode()).hexdigest()[:20]
        self.prepare = f"PREPARE {self.name}{types and f' ({types})'} AS /* {query_name} */ {body}"
        self.execute = f"EXECUTE {self.name}{values and f' ({values})'}"
        self.uses = 0
        self.can_prepare = CUSTOM_PLAN not in sql


@lru_cache(maxsize=TEXTS_KEPT)
def statement(query_name: str, sql: str, limits: tuple[tuple[str, int], ...] = ()) -> Statement:
    """The prepared form of a text, the same object each time.

    `limits` are written into the text as constants: with an unknown LIMIT the planner expects to need a tenth of the
    rows, and would rather sort them all than walk an index.
    """
    return Statement(query_name, sql, limits)


def limits_of(sql: str, params: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Name and value of each integer parameter that stands directly behind LIMIT."""
    names = dict.fromkeys(LIMIT.findall(sql))
    return tuple((name, params[name]) for name in names if type(params[name]) is int)


class PreparedStatements:
    """Keeps up to `most` statements prepared on each connection, the least recently used dropped first; 0: none.

    Connections that go through a pooler get plain text: their next message may reach another server session.
    """

    def __init__(self, most: int) -> None:
        self.most = most

    def run(
        self,
        connection: PooledConnection,
        query_name: str,
        sql: str,
        bind: str,
        params: Mapping[str, Any],
        send: Callable[[str], Row | None],
    ) -> Row | None:
        """The row of a query that `send` sends by the text it is given; sent once more, as plain text, when the
        prepared statement is outdated."""
        text = self.text(connection, query_name, sql, bind, params)
        try:
            return send(text)
        except psycopg2.Error as error:
            if text is sql or not self._is_outdated(connection, error):
                raise
        return send(sql)

    def text(
        self, connection: PooledConnection, query_name: str, sql: str, bind: str, params: Mapping[str, Any]
    ) -> str:
        """The text to send for a query: its EXECUTE, prepared on this connection if need be, or `sql` itself.

        `bind` runs in front of the PREPARE, so that its time is limited as that of the query is.
        """
        if not self.most:
            return sql
        known = statement(query_name, sql, limits_of(sql, params))
        held = connection.prepared
        if known.name in held:
            held.move_to_end(known.name)
            return known.execute
        known.uses += 1
        if known.uses < WORTH_PREPARING or not known.can_prepare or connection.is_pooled():
            return sql
        return known.execute if self._prepare(connection, known, bind, params) else sql

    def _prepare(
        self, connection: PooledConnection, known: Statement, bind: str, params: Mapping[str, Any]
    ) -> bool:
        held = connection.prepared
        drop = ""
        if len(held) >= self.most:
            oldest, _ = held.popitem(last=False)
            drop = f"DEALLOCATE {oldest};\n"
        try:
            connection.run_clean(f"{bind}{drop}{known.prepare}", params)
        except errors.DuplicatePreparedStatement:
            pass  # the same name is the same text
        except errors.InvalidSqlStatementName:
            connection.prepared.clear()
            return False
        except psycopg2.ProgrammingError as error:
            if is_disconnect(error):
                raise
            log.warning(
                "query cannot be prepared and is sent as text", name=known.name, error=str(error).strip()
            )
            known.can_prepare = False
            return False
        held[known.name] = None
        return True

    def _is_outdated(self, connection: PooledConnection, error: psycopg2.Error) -> bool:
        """Return True if an EXECUTE failed before it ran; the same query can then be sent as plain text.

        Its statement is unknown to this server session, or DDL changed the type of its result. The message was one
        transaction that failed as a whole, so nothing is done twice.
        """
        gone = isinstance(error, errors.InvalidSqlStatementName)
        changed = isinstance(error, errors.FeatureNotSupported) and "cached plan" in str(error)
        if gone:
            connection.pooled = True  # only a pooler hands on server sessions
        if gone or changed:
            connection.forget_prepared()
        return gone or changed
