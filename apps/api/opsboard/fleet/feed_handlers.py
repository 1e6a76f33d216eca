"""The interfaces between the change feed and the parts it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from opsboard.db.database import Row
from opsboard.db.queries import Query


class FeedHandlers(Protocol):
    """Receives everything the feed reads. One poll calls observe_server first and mark_current last."""

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        """The database answered a question sent at `asked` with its epoch, snapshot and clock."""

    def apply_changes(self, tenant_id: int, newest: dict[str, int]) -> None:
        """Tables of a tenant changed; `newest` maps each to the highest transaction number that changed it."""

    def revoke(self, row: dict[str, Any]) -> None:
        """Tokens ended."""

    def clear(self, prefix: str | None, xid: int | None) -> None:
        """Clear an endpoint prefix. `xid` is the order's transaction; None: an own order, number not known yet."""

    def reset(self) -> None:
        """Changes may have been missed: nothing cached is known to be valid."""

    def mark_current(self, asked: float) -> None:
        """Everything committed before `asked` (time.monotonic) has been passed on."""


class UnboundQueries(Protocol):
    """Runs statements that belong to no business."""

    def fetch_unbound(self, query: Query, params: Mapping[str, Any] | None = None) -> Row | None: ...
