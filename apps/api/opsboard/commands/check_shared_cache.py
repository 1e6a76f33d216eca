"""The second level of the cache: whether it is reached, how fast, and what it does when it is full."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from opsboard.cache import wire
from opsboard.commands.findings import Findings
from opsboard.config import Config
from opsboard.errors import ConfigError

SLOW = 10.0  # ms; an answer of the database costs about that


def check_shared_cache(config: Config, findings: Findings) -> None:
    """Never a failure: the service goes on without it."""
    if not config.cache_url:
        findings.ok("shared cache", "not used: CACHE_URL is empty")
        return
    connection: Any = None
    try:
        connection = wire.connector(config.cache_url)()
        connection.connect()
        began = time.perf_counter()
        wire.ask(connection, "PING")
        ms = (time.perf_counter() - began) * 1000
        report(connection, ms, findings)
    except ConfigError as error:
        findings.fail("shared cache", error.faults[0], "see docs/configuration.md")
    except Exception as error:
        findings.warn(
            "shared cache", wire.reason_of(error), "check CACHE_URL; until then each worker keeps its own"
        )
    finally:
        if connection is not None:
            with suppress(Exception):
                connection.disconnect()


def report(connection: Any, ms: float, findings: Findings) -> None:
    facts = facts_of(connection)
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts.get("redis_version", "of an unknown version")
    message = f"{name} {version} answers in {ms:.1f} ms"
    if facts.get("role") == "slave":
        findings.warn(
            "shared cache", f"{message}, but is a replica", "give CACHE_URL the address of the primary"
        )
    elif facts.get("maxmemory", "0") != "0" and facts.get("maxmemory_policy") == "noeviction":
        findings.warn(
            "shared cache",
            f"{message}; when it is full it keeps nothing new",
            "set maxmemory-policy allkeys-lru",
        )
    elif ms > SLOW:
        findings.warn("shared cache", message, "one that is slower than the database is of no use")
    else:
        findings.ok("shared cache", message)


def facts_of(connection: Any) -> dict[str, str]:
    """Return the answer to INFO; empty if that is not permitted."""
    try:
        text = wire.ask(connection, "INFO").decode(errors="replace")
    except wire.Declined:
        return {}
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
