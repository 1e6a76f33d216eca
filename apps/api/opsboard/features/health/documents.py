"""The shapes of the health answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class Health(BaseModel):
    status: Literal["ok"]
    version: str
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


class DatabaseHealth(BaseModel):
    status: Literal["healthy", "warning", "critical"]
    worker: int
    pool_stats: PoolStats
    server: dict[str, Any]
    warnings: list[str]
    recommendations: list[str]


class DatabaseTest(BaseModel):
    status: Literal["ok"]
    ms: float
    result: dict[str, Any]


class CacheHealth(BaseModel):
    status: Literal["ok", "off"]
    worker: int
    cache_stats: dict[str, Any]


class Cleared(BaseModel):
    status: Literal["ok"]
    worker: int
    prefix: str | None
    cleared: int
