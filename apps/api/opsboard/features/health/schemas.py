"""The shapes of the health answers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel


class Health(BaseModel):
    status: Literal["ok"]
    version: str
    commit: str | None
    uptime_seconds: int


class Ready(BaseModel):
    status: Literal["ready"]


class PoolStats(BaseModel):
    """The five numbers of the reference, then psycopg_pool's by its names."""

    min_connections: int
    max_connections: int
    available: int
    in_use: int
    total: int
    pool_min: int
    pool_max: int
    pool_size: int
    pool_available: int
    requests_waiting: int
    requests_num: int
    requests_queued: int
    requests_wait_ms: int
    requests_errors: int
    usage_ms: int
    connections_num: int
    connections_ms: int
    connections_errors: int
    connections_lost: int
    returns_bad: int


class RequestThreads(BaseModel):
    """Threads that answer requests, those that do so now, and requests that wait for one."""

    max: int
    busy: int
    waiting: int


class Remembered(BaseModel):
    """When the database does not answer in time, an answer is of `age_seconds` ago and `problem` says what is wrong."""

    age_seconds: float
    problem: str | None


class WorkerLine(BaseModel):
    """One worker; `pool` or `cache` has its part of the numbers."""

    id: str
    machine: str
    pid: int
    status: Literal["ok", "silent"]
    silent_seconds: float
    uptime_seconds: float
    memory_bytes: int
    answers: dict[str, int]
    request_threads: RequestThreads


class DatabaseHealth(Remembered):
    """`pool_stats` is the sum over the live workers; `silent` names those that have not reported for 2 s."""

    status: Literal["healthy", "warning", "critical"]
    pool_stats: PoolStats
    answered_by: str
    workers: list[WorkerLine]
    silent: list[str]
    request_threads: RequestThreads
    server: dict[str, Any]
    warnings: list[str]
    recommendations: list[str]


class DatabaseTest(BaseModel):
    status: Literal["ok"]
    ms: float
    result: dict[str, Any]


class CacheHealth(Remembered):
    """`cache_stats` is the sum over the live workers."""

    status: Literal["ok", "off"]
    cache_stats: dict[str, Any]
    answered_by: str
    workers: list[WorkerLine]
    silent: list[str]


class Difference(BaseModel):
    """A count that differs from the tables; label, user and day if the metric has them."""

    metric: str
    label: str | None
    user_id: int | None
    day: dt.date | None
    kept: int
    counted: int


class RollupHealth(BaseModel):
    """`folded`: stored counts; `not_folded`: changes that are included in every answer but not folded yet."""

    status: Literal["ok", "wrong"]
    differences: list[Difference]
    folded: int
    not_folded: int
    as_of: dt.datetime


class Cleared(BaseModel):
    """`cleared` lists the workers that carried out the clear, `waiting` those that did not within a second."""

    status: Literal["ok", "partial"]
    prefix: str | None
    cleared: list[str]
    waiting: list[str]
    acknowledged: int
    workers: int
    ms: float
