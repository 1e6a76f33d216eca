"""When a sign-in or a token was last used: noted in memory with each request, written once a minute."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from cachetools import LRUCache

from opsboard.auth.identity import Holder, Identity
from opsboard.db.database import Database
from opsboard.db.queries import load_queries

sql = load_queries(__package__)

WRITE_EVERY = 60.0  # seconds
REMEMBERED = 10_000  # tokens


class Use:
    """True if a token was used since the last write. Set without a lock: it only ever becomes true."""

    __slots__ = ("identity", "is_new")

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.is_new = False


class LastUses:
    """The uses of this worker. A worker that is killed loses at most a minute of them."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self.clock = clock
        self._uses: LRUCache[str, Use] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()
        self._written_at = clock()

    def of(self, identity: Identity) -> Use:
        """The use of this identity's token, now the identity's latest."""
        with self._lock:
            use = self._uses.get(identity.token_id)
            if use is None:
                use = self._uses[identity.token_id] = Use(identity)
            use.identity = identity
        return use

    def note(self, identity: Identity) -> None:
        self.of(identity).is_new = True

    def write_if_due(self) -> None:
        """Called often by the thread of the maintenance."""
        if self.clock() - self._written_at >= WRITE_EVERY:
            self._written_at = self.clock()
            self.write()

    def write(self) -> None:
        """Write the uses since the last time: one statement for each business that had any."""
        used: dict[int, list[dict[str, object]]] = defaultdict(list)
        with self._lock:
            uses = list(self._uses.values())
        for use in uses:
            if use.is_new:
                use.is_new = False
                identity = use.identity
                used[identity.tenant_id].append(
                    {"token_id": identity.token_id, "expires_at": identity.expires_at}
                )
        for tenant_id, tokens in used.items():
            self._database.fetch_row(sql.note_uses, Holder(tenant_id), {"uses": json.dumps(tokens)})
