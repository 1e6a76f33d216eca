"""Writes all of a business as JSON lines with a mapping, so that `opsboard import` takes it back as it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg2 import sql

from opsboard.db.session import Connection, Cursor, connected
from opsboard.errors import CommandError
from opsboard.imports.progress import Progress
from opsboard.imports.target import Target
from opsboard.imports.targets import TARGETS

MAPPING = "mapping.toml"
CHECKSUMS = "SHA256SUMS"
# Records that no import takes: for people and other programs to read.
FURTHER = "further"
BATCH = 2_000
# Keys, sign-ins and passwords; what workers tell each other; counts and words, which are made of the other tables.
NEVER = {
    "api_tokens", "password_links", "sessions", "revocations", "sign_in_attempts", "idempotency_keys", "changes",
    "rollups", "rollup_deltas", "search_words", "search_pending",
}  # fmt: skip
BIND = "SELECT set_config('app.tenant_slug', %s, true)"
BIND_ID = "SELECT set_config('app.tenant_id', t.id::text, true), t.id FROM tenants AS t WHERE t.slug = %s"
TABLES = """
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND has_table_privilege(c.oid, 'SELECT')
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
ORDER BY c.relname
"""
# In the order of the keys, so that equal rows make equal files.
ROWS = sql.SQL(
    "SELECT json_build_object({members})::text FROM {table} AS t{joins} WHERE t.tenant_id = %s ORDER BY {key}"
)
JOIN = sql.SQL(" LEFT JOIN {table} AS {alias} ON {alias}.tenant_id = t.tenant_id AND {alias}.id = {column}")
ALL = sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t WHERE t.tenant_id = %s ORDER BY 1")


@dataclass(frozen=True)
class Written:
    """One file: the table, how many rows, and whether an import takes them back."""

    table: str
    rows: int
    is_imported: bool


def export_business(url: str, slug: str, folder: Path, progress: Progress) -> list[Written]:
    """Write everything in one snapshot, as the service's role. Raises CommandError; `folder` must be new or empty."""
    make_folder(folder)
    with connected(url, "tenant export") as connection:
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection, connection.cursor() as cursor:
            tenant_id = bind(cursor, slug)
            tables = all_tables(cursor)
            prefix = free_prefix(cursor, tenant_id, slug)
            written = []
            for target in TARGETS.values():
                progress.say(f"writing {target.table}")
                path = folder / f"{target.table}.jsonl"
                rows = write_rows(connection, path, select_of(target, prefix), tenant_id)
                written.append(Written(target.table, rows, is_imported=True))
            for table in tables:
                if table not in TARGETS and table not in NEVER:
                    progress.say(f"writing {table}")
                    path = folder / FURTHER / f"{table}.jsonl"
                    rows = write_rows(connection, path, all_of(table), tenant_id)
                    written.append(Written(table, rows, is_imported=False))
    write(
        folder / MAPPING, mapping_of([TARGETS[one.table] for one in written if one.is_imported and one.rows])
    )
    write(folder / CHECKSUMS, "".join(checksum_lines(folder)))
    return written


def make_folder(folder: Path) -> None:
    try:
        (folder / FURTHER).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty; name a new folder.")
        (folder / FURTHER).mkdir(mode=0o700)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}") from error


def bind(cursor: Cursor, slug: str) -> int:
    cursor.execute("SET LOCAL TimeZone = 'UTC'")
    cursor.execute(BIND, (slug,))
    cursor.execute(BIND_ID, (slug,))
    row = cursor.fetchone()
    if row is None:
        raise CommandError(f"There is no business {slug}; see: opsboard tenant list")
    return int(row[1])


def all_tables(cursor: Cursor) -> list[str]:
    cursor.execute(TABLES)
    return [name for (name,) in cursor.fetchall()]


def free_prefix(cursor: Cursor, tenant_id: int, slug: str) -> str:
    """A beginning for the keys of rows that have none outside, which no key of this business has.

    A row that was imported from such an export keeps its key: an export of the copy equals the one it came from.
    """
    prefix, number = f"{slug}:", 1
    while any(uses_prefix(cursor, target, tenant_id, prefix) for target in TARGETS.values()):
        number += 1
        prefix = f"{slug}-{number}:"
    return prefix


def uses_prefix(cursor: Cursor, target: Target, tenant_id: int, prefix: str) -> bool:
    if not target.has_own_key:
        return False
    query = sql.SQL(
        "SELECT EXISTS (SELECT FROM {table} WHERE tenant_id = %s AND starts_with(external_id, %s)"
        " AND external_id IS NOT NULL) AND EXISTS (SELECT FROM {table} WHERE tenant_id = %s AND external_id IS NULL)"
    ).format(table=sql.Identifier(target.table))
    cursor.execute(query, (tenant_id, prefix, tenant_id))
    ((used,),) = cursor.fetchall()
    return bool(used)


def select_of(target: Target, prefix: str) -> sql.Composable:
    """Each row as JSON: its columns, its key and the keys of its parents."""
    members, joins = [], []
    for column in target.columns:
        members += [sql.Literal(column.name), sql.Identifier("t", column.name)]
    keys: dict[str, sql.Composable] = {"key": key_of("t", prefix) if target.has_own_key else sql.SQL("")}
    for number, parent in enumerate(target.parents):
        joins.append(
            JOIN.format(
                table=sql.Identifier(parent.table),
                alias=sql.Identifier(f"p{number}"),
                column=sql.Identifier("t", parent.column),
            )
        )
        keys[f"parent_{parent.name}"] = key_of(f"p{number}", prefix)
    if not target.has_own_key:
        keys["key"] = own_key(target, keys)
    for name, key in keys.items():
        members += [sql.Literal(name), key]
    return ROWS.format(
        members=sql.SQL(", ").join(members),
        table=sql.Identifier(target.table),
        joins=sql.Composed(joins),
        key=keys["key"],
    )


def own_key(target: Target, keys: dict[str, sql.Composable]) -> sql.Composable:
    """Of a row without an outside key: its columns and the keys of its parents that no other row has."""
    parents = {parent.column: keys[f"parent_{parent.name}"] for parent in target.parents}
    parts = [parents.get(name) or sql.Identifier("t", name) for name in target.key]
    return sql.SQL("concat_ws('/', {})").format(sql.SQL(", ").join(parts)) if len(parts) > 1 else parts[0]


def key_of(alias: str, prefix: str) -> sql.Composable:
    return sql.SQL("coalesce({key}, {prefix} || {id}::text)").format(
        key=sql.Identifier(alias, "external_id"), prefix=sql.Literal(prefix), id=sql.Identifier(alias, "id")
    )


def all_of(table: str) -> sql.Composable:
    return ALL.format(sql.Identifier(table))


def write_rows(connection: Connection, path: Path, query: sql.Composable, tenant_id: int) -> int:
    """How many rows were written, one a line; a file without rows is not kept."""
    rows = 0
    with private(path) as file, connection.cursor("export") as cursor:
        cursor.itersize = BATCH
        cursor.execute(query, (tenant_id,))
        for (text,) in cursor:
            file.write(f"{text}\n")
            rows += 1
    if not rows:
        path.unlink()
    return rows


def private(path: Path) -> IO[str]:
    """A new file that only its owner can read."""
    return open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8")


def write(path: Path, text: str) -> None:
    with private(path) as file:
        file.write(text)


def mapping_of(targets: list[Target]) -> str:
    """The mapping by which `opsboard import` takes the files back."""
    lines = ["# Takes this export back: opsboard import FOLDER --mapping FOLDER/mapping.toml --tenant SLUG\n"]
    for target in targets:
        names = [column.name for column in target.columns]
        parents = [parent.name for parent in target.parents]
        columns = [*names, "key", *(f"parent_{name}" for name in parents)]
        lines += [
            f"[files.{target.table}]",
            f'path = "{target.table}.jsonl"',
            f"columns = {json.dumps(columns)}",
            # Texts are as they were stored: none is a row of totals or guarded against spreadsheets.
            'totals = "keep"',
            "guards = false",
            f"[tables.{target.table}]",
            f'file = "{target.table}"',
            'external_id = "{key}"',
            *([f"[tables.{target.table}.parents]"] if parents else []),
            *(f'{name} = "{{parent_{name}}}"' for name in parents),
            f"[tables.{target.table}.columns]",
            *(f'{name} = "{{{name}}}"' for name in names),
            "",
        ]
    return "\n".join(lines)


def checksum_lines(folder: Path) -> Iterator[str]:
    """A line for each file, as sha256sum writes and checks them."""
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            with open(path, "rb") as file:
                yield f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(folder)}\n"
