"""Settings of the database server that cost safety or speed, each with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MANY_TEMPORARY_FILES = 100
SMALL_BUFFERS = "128MB"
# A database of this size no longer fits into the buffers that a new server has.
LARGE_DATABASE = 512 << 20  # bytes


class Rule(NamedTuple):
    """A setting, when its value is advised against, what to set, and why. `database` and `slots` are of activity."""

    name: str
    is_bad: Callable[[str, Mapping[str, Any], int], bool]
    advice: str
    reason: str


def is_off(value: str, database: Mapping[str, Any], slots: int) -> bool:
    return value == "off"


RULES = (
    Rule(
        "fsync", is_off, "on",
        "a crash of the machine can destroy the whole database",
    ),
    Rule(
        "full_page_writes", is_off, "on",
        "a crash of the machine can leave half-written pages",
    ),
    Rule(
        "autovacuum", is_off, "on",
        "dead rows are never removed, and the server stops when transaction ids run out",
    ),
    Rule(
        "track_counts", is_off, "on",
        "autovacuum finds its tables by these counts",
    ),
    Rule(
        "synchronous_commit", is_off, "on",
        "a write that was answered can be lost by a crash",
    ),
    Rule(
        "idle_in_transaction_session_timeout", lambda value, database, slots: value == "0", "5min",
        "a forgotten transaction keeps its locks and holds up vacuum for ever",
    ),
    Rule(
        "log_lock_waits", is_off, "on",
        "the server's log then names who waited for whom",
    ),
    Rule(
        "shared_buffers",
        lambda value, database, slots: value == SMALL_BUFFERS and database["bytes"] > LARGE_DATABASE,
        "a quarter of the machine's memory", "it is as small as on a new server, and the database is larger",
    ),
    Rule(
        "work_mem",
        lambda value, database, slots: value == "4MB" and database["temporary_files"] > MANY_TEMPORARY_FILES,
        "16MB", "sorts and hashes were written to temporary files for want of memory",
    ),
    Rule(
        "max_slot_wal_keep_size", lambda value, database, slots: value == "-1" and slots > 0, "10GB",
        "a replication slot that nobody reads fills the disk",
    ),
)  # fmt: skip
NAMES = [rule.name for rule in RULES]


def advise_on_settings(
    settings: Mapping[str, str | None], activity: Mapping[str, Any]
) -> list[dict[str, str]]:
    """The settings that are advised against, with their value, a better one and the reason."""
    database, slots = activity["database"], len(activity["replication"]["slots"])
    return [
        {"name": rule.name, "value": value, "advice": rule.advice, "reason": rule.reason}
        for rule in RULES
        if (value := settings.get(rule.name)) is not None and rule.is_bad(value, database, slots)
    ]
