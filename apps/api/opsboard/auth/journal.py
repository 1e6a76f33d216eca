"""Records each sign-in, failure, refusal and sign-out: a log line, a count and an audit entry."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.observability import record

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

OUTCOMES = ("sign_in", "sign_in_failed", "sign_in_refused", "sign_out")


class Account(NamedTuple):
    """A user, as a statement runs for one."""

    tenant_id: int
    user_id: int
    role: str


class Journal:
    """Notes what happens at the door. A note that cannot be written holds nobody up: the log has it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, outcome: str, account: str, address: str, users: Iterable[Account] = ()) -> None:
        """`account` is the e-mail address that was sent; `users` are those it belongs to, one audit entry for each."""
        with self._lock:
            self._counts[outcome] += 1
        log.info(outcome, account=printable(account), address=printable(address))
        current = record.current()
        noted = {
            "outcome": outcome,
            "noted": json.dumps({"account": [None, account], "address": [None, address]}),
            "request_id": current.request_id if current else None,
        }
        for number, user in enumerate(users):
            if number:
                record.try_again()  # a statement sees one business
            try:
                self._database.fetch_row(sql.note_sign_in, user, noted)
            except OpsboardError as error:
                log.warning("audit entry not written", outcome=outcome, error=error.code)

    def counts(self) -> dict[str, int]:
        """Return the count of each event in this process."""
        with self._lock:
            return {outcome: self._counts[outcome] for outcome in OUTCOMES}


def printable(text: str) -> str:
    """Nothing that a client sends begins a line of its own in the log."""
    return text if text.isprintable() else ascii(text)
