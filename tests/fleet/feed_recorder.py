"""A change feed without its thread that records everything it reads."""

from __future__ import annotations

from typing import Any

from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.fleet.change_feed import ChangeFeed


class FeedRecorder:
    """A change feed without its thread, and the handlers that record its calls."""

    def __init__(self, url: str) -> None:
        self.pool = Pool(0, 1, url, timeout=1.0)
        self.tokens: list[str] = []
        self.polls = 0
        self.changes: list[tuple[int, str]] = []
        self.clears: list[str | None] = []
        self.resets = 0
        self.current_at: list[float] = []
        self.change_feed = ChangeFeed(Database(self.pool, 1.0), 60.0, self, lambda: {})

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        pass

    def apply_changes(self, tenant_id: int, newest: dict[str, int]) -> None:
        self.changes.extend((tenant_id, table) for table in newest)

    def revoke(self, row: dict[str, Any]) -> None:
        self.tokens.append(row["token_id"])

    def clear(self, prefix: str | None, xid: int | None) -> None:
        self.clears.append(prefix)

    def reset(self) -> None:
        self.resets += 1

    def mark_current(self, asked: float) -> None:
        self.polls += 1
        self.current_at = [asked]
