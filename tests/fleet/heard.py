"""A pulse without its thread, and what it told."""

from __future__ import annotations

from typing import Any

from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.fleet.pulse import Ears, Pulse


class Heard:
    """A pulse without its thread, and what it told."""

    def __init__(self, url: str) -> None:
        self.pool = Pool(0, 1, url, timeout=1.0)
        self.tokens: list[str] = []
        self.beats = 0
        self.changes: list[tuple[int, str]] = []
        self.clears: list[str | None] = []
        self.lost = 0
        self.heard_at: list[float] = []
        ears = Ears(
            listened=lambda *moment: None,
            changed=lambda tenant, tables: self.changes.extend((tenant, table) for table in tables),
            revoked=self._on_revocation,
            ordered_to_clear=lambda prefix, xid: self.clears.append(prefix),
            lost=self._on_lost,
            heard=self._on_heard,
        )
        self.pulse = Pulse(Database(self.pool, 1.0), 60.0, ears, lambda: {})

    def _on_lost(self) -> None:
        self.lost += 1

    def _on_revocation(self, row: dict[str, Any]) -> None:
        self.tokens.append(row["token_id"])

    def _on_heard(self, at: float) -> None:
        self.beats += 1
        self.heard_at = [at]
