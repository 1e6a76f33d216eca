"""The state of all workers and of the server they use, as it can be told now."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any, NamedTuple

from opsboard.errors import OpsboardError
from opsboard.features.health.area import sql
from opsboard.features.health.fleet import date_transaction
from opsboard.web.services import services


class Fleet(NamedTuple):
    """The reports of the workers and the server's numbers, `age` seconds old; `server` is empty when not known."""

    workers: list[dict[str, Any]]
    server: dict[str, Any]
    age: float
    problem: str | None


def look_at_fleet() -> Fleet:
    """Return the reports of all workers, with this one's as of now; only this one's if the database never answered."""
    lookout, problem = services().lookout, None
    try:
        seen = lookout.ask(sql.fleet)
        found, age, problem = json.loads(seen.row[0]), seen.age, seen.problem  # type: ignore[index]
    except OpsboardError as error:
        found, age, problem = {"workers": [], "server": {}}, 0.0, error
    if problem:
        # The table of the workers may be locked: then the server itself still says who holds it.
        with suppress(OpsboardError):
            found["server"] = json.loads(lookout.fetch_unbound(sql.server)[0])  # type: ignore[index]
    if found["server"]:
        date_transaction(found["server"]["oldest_transaction"], found["workers"])
    return Fleet(
        with_own(found["workers"]), found["server"], round(age, 1), problem.detail if problem else None
    )


def with_own(workers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """This worker's report as of now, among those of the others."""
    change_feed = services().change_feed
    own = {
        "id": change_feed.worker.id,
        "machine": change_feed.worker.machine,
        "pid": change_feed.worker.pid,
        "uptime_seconds": int(time.time() - change_feed.worker.started_at),
        # It answers, however long it has heard nothing of the database.
        "silent_seconds": 0.0,
        "report": change_feed.own_report(),
    }
    if not any(worker["id"] == own["id"] for worker in workers):
        return [*workers, own]
    return [{**worker, **own} if worker["id"] == own["id"] else worker for worker in workers]
