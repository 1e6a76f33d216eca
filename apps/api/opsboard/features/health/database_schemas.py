"""The shapes of the answers about the database's indexes, queries and tables."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.features.health.schemas import Remembered


class IndexUse(BaseModel):
    """`serves` and `endpoints` are null and empty for what a constraint or somebody else made.

    `locked`: somebody has the table to themselves; the size is then an estimate, `definition` that of the migrations.
    """

    name: str
    table: str
    definition: str
    locked: bool
    unique: bool
    valid: bool
    scans: int
    rows_read: int
    rows_fetched: int
    bytes: int
    duplicates: list[str]
    covered_by: list[str]
    serves: str | None
    endpoints: list[str]


class ForeignKey(BaseModel):
    table: str
    name: str
    definition: str


class IndexHealth(Remembered):
    """`unused`: not scanned since `since` (null: since the database was created), and no constraint needs it."""

    status: Literal["ok", "warning"]
    missing: list[str]
    invalid: list[str]
    unused: list[str]
    duplicate: list[str]
    foreign_keys_without_index: list[ForeignKey]
    indexes: list[IndexUse]
    since: dt.datetime | None


class Statement(BaseModel):
    """Of pg_stat_statements: values are $1, $2, ..."""

    statement: str
    calls: int
    mean_ms: float
    max_ms: float
    total_ms: float
    rows: int


class QueryUse(BaseModel):
    """`endpoints` answer with this query; `indexes` were made for it."""

    query: str
    endpoints: list[str]
    indexes: list[str]
    count: int
    mean_ms: float
    max_ms: float
    total_ms: float


class QueryHealth(Remembered):
    """`statements` is null without pg_stat_statements; `queries` are our own numbers, of all live workers."""

    pg_stat_statements: str
    statements: list[Statement] | None
    slow_query_ms: int
    queries: list[QueryUse]
    workers: int


class JourneyHealth(Remembered):
    """`oldest_due_seconds`: how long the oldest due step of all businesses has waited; null when none is due."""

    status: Literal["ok", "warning", "unknown"]
    oldest_due_seconds: float | None
    warnings: list[str]
    recommendations: list[str]


class TableUse(BaseModel):
    """One table with its partitions. `locked`: another session holds an exclusive lock, so its sizes are estimates."""

    name: str
    partitions: int
    live_rows: int
    dead_rows: int
    changed_since_analyze: int
    bytes: int
    index_bytes: int
    sequential_scans: int
    sequential_rows: int
    index_scans: int
    last_vacuum: dt.datetime | None
    last_autovacuum: dt.datetime | None
    last_analyze: dt.datetime | None
    last_autoanalyze: dt.datetime | None
    vacuum_count: int
    autovacuum_count: int
    vacuum_due: bool
    analyze_due: bool
    locked: bool


class TableHealth(Remembered):
    due: list[str]
    tables: list[TableUse]
    since: dt.datetime | None
