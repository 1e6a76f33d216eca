"""Rows for tables that no seed writes by hand: made from what the catalogue says of their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Values of required columns, by the category of their type. `n` is the number of the row.
VALUES = {
    "S": "%(word)s || ' {column} ' || n",
    "N": "n",
    "D": "now() - n * interval '1 hour'",
    "B": "false",
    "U": "'{{}}'",
}
# Foreign keys, columns without a default that may not be null, and free texts, which carry the word of their business.
COLUMNS = """
SELECT a.attname, t.typcategory, k.confrelid::regclass::text
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_constraint AS k
    ON k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey[cardinality(k.conkey)] = a.attnum
WHERE
    a.attrelid = %s::regclass
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = '' AND a.attname <> 'tenant_id'
    AND (
        k.oid IS NOT NULL
        OR (a.attnotnull AND NOT a.atthasdef)
        OR (
            t.typcategory = 'S' AND NOT a.atthasdef AND NOT EXISTS (
                SELECT FROM pg_constraint AS c
                WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY(c.conkey)
            )
        )
    )
"""


def not_written_by(seed: str, tables: Iterable[str]) -> list[str]:
    """The tables that a seed has no INSERT for, in the order given."""
    written = set(re.findall(r"INSERT INTO (\w+)", seed))
    return [table for table in tables if table not in written]


def fill(cursor: Any, table: str, tenant: int, word: str, count: int) -> None:
    """Insert rows of a business; what they refer to is there by then."""
    cursor.execute(COLUMNS, (table,))
    columns, values = ["tenant_id"], ["%(tenant)s"]
    for column, category, referenced in cursor.fetchall():
        columns.append(column)
        if referenced:
            rows = f"SELECT r.id FROM {referenced} AS r WHERE r.tenant_id = %(tenant)s"
            values.append(f"({rows} ORDER BY r.id OFFSET n %% 3 LIMIT 1)")
        else:
            values.append(VALUES[category].format(column=column))
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM generate_series(1, %(count)s) AS n",
        {"tenant": tenant, "word": word, "count": count},
    )
