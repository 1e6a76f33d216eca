"""The shapes of the answers about the sessions of the database."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel

from opsboard.features.health.schemas import Remembered


class Sessions(BaseModel):
    """Sessions that are alike. `state` and `query` of other roles' are null without pg_read_all_stats."""

    user: str | None
    state: str | None
    query: str | None
    count: int
    longest_seconds: float | None


class LongStatement(BaseModel):
    pid: int
    user: str | None
    name: str | None
    query: str | None
    waits_for: str | None
    seconds: float


class TableLock(BaseModel):
    """A session that keeps others out of a table. `pid` is null of a prepared transaction.

    `query` and `seconds` of other roles' sessions are null without pg_read_all_stats.
    """

    table: str
    keeps_out: Literal["readers and writers", "writers"]
    pid: int | None
    user: str | None
    name: str | None
    query: str | None
    seconds: float | None


class IdleInTransaction(BaseModel):
    pid: int
    user: str | None
    name: str | None
    last_query: str | None
    idle_seconds: float | None
    transaction_seconds: float | None


class HeldUp(BaseModel):
    """Work that the oldest transaction holds up; `unfolded_deltas` ends at 100001, null: the table is locked."""

    dead_rows: int | None
    unfolded_deltas: int | None


class TableAge(BaseModel):
    name: str
    age: int


class TransactionIds(BaseModel):
    """`used`: the share of 2^31 that the older of the two ages has reached; vacuum freezes at `freeze_at`."""

    age: int
    multixact_age: int
    freeze_at: int
    multixact_freeze_at: int
    used: float
    oldest_tables: list[TableAge]


class Sequence(BaseModel):
    """`used`: the share of the largest value that the sequence, or the column it fills, can have."""

    name: str
    last_value: int
    largest: int
    used: float


class Slot(BaseModel):
    name: str
    active: bool
    wal_status: str | None
    bytes_behind: int | None


class Standby(BaseModel):
    name: str | None
    state: str | None
    sync_state: str | None
    replay_lag_seconds: float | None


class Replication(BaseModel):
    is_standby: bool
    slots: list[Slot]
    standbys: list[Standby]


class DatabaseUse(BaseModel):
    """Counts since `since`; null: since the database was created."""

    bytes: int
    cache_hit_ratio: float | None
    temporary_files: int
    temporary_bytes: int
    deadlocks: int
    since: dt.datetime | None


class Disk(BaseModel):
    """Of the machine of the worker that answers; the database's own machine needs node_exporter."""

    machine: str
    free_bytes: int
    total_bytes: int


class SettingAdvice(BaseModel):
    name: str
    value: str
    advice: str
    reason: str


class Activity(Remembered):
    """The sessions of the database, and the resources that are running out."""

    status: Literal["healthy", "warning", "critical"]
    sessions: list[Sessions]
    long_statements: list[LongStatement]
    blocked: list[dict[str, Any]]
    locks: list[TableLock]
    idle_in_transaction: list[IdleInTransaction]
    oldest_transaction: dict[str, Any] | None
    holds_up: HeldUp
    transaction_ids: TransactionIds
    sequences: list[Sequence]
    replication: Replication
    database: DatabaseUse
    disk: Disk
    settings: list[SettingAdvice]
    warnings: list[str]
    recommendations: list[str]


class Cancelled(BaseModel):
    """`audited` is false when the audit log could not be written: then only the service's log has it."""

    pid: int
    user: str | None
    name: str | None
    state: str | None
    query: str | None
    ended: Literal["statement", "session"]
    audited: bool
