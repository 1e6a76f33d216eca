"""A transaction with a write that somebody left open, and what the change feed's statement then takes."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Any

from opsboard.db.session import connected
from opsboard.fleet.change_feed import NOTHING_SEEN, sql
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.incidents.finding import Finding

WRITES, CALLS = 20_000, 50
FORGOTTEN = "BEGIN; UPDATE machines SET updated_at = now() WHERE id = (SELECT min(m.id) FROM machines AS m)"
WRITE = (
    "UPDATE jobs SET quantity = 1 + quantity %% 50 WHERE id = (SELECT min(j.id) + %(number)s FROM jobs AS j)"
)


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    writes = WRITES if bench.options.jobs > 1000 else 200
    url = environment.superuser_url
    with (
        connected(url, "bench") as forgotten,
        connected(url, "bench") as writer,
        connected(url, "bench") as feed,
    ):
        listener, cursor = feed.cursor(), writer.cursor()
        before = listen_ms(listener)
        forgotten.cursor().execute(FORGOTTEN)
        bench.report(f"incidents: {writes:,} writes beside a forgotten BEGIN")
        cursor.execute("SET synchronous_commit TO off")
        for number in range(writes):
            cursor.execute(WRITE, {"number": number % 100})
        after = listen_ms(listener)
        forgotten.cursor().execute("ROLLBACK")
    return [
        Finding(
            f"{writes:,} writes beside a forgotten BEGIN: the feed's statement, as times before",
            2,
            after / before,
        )
    ]


def listen_ms(cursor: Any) -> float:
    """Median milliseconds of one poll that hears nothing new."""
    seen, taken = NOTHING_SEEN, []
    for _ in range(CALLS + 1):
        began = time.perf_counter()
        cursor.execute(sql.listen.sql, {"seen": seen})
        news = json.loads(cursor.fetchone()[0])
        taken.append((time.perf_counter() - began) * 1000)
        seen = news["snapshot"]
    return median(taken[1:])
