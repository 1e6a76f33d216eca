"""/api/health/...: open and cheap at the top, detail for admins below; the same tree answers under /health."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import Annotated

import structlog
from flask import Response, jsonify
from flask.blueprints import BlueprintSetupState
from pydantic import Field

from opsboard import __version__
from opsboard.auth.identity import Role
from opsboard.db.database import Database
from opsboard.db.lookout import patient_only_briefly
from opsboard.db.schema_version import expected_migrations
from opsboard.db.schema_version import sql as schema
from opsboard.errors import (
    DatabaseUnavailable,
    DeadlineExceeded,
    OpsboardError,
    SchemaMissing,
)
from opsboard.features.health import (  # noqa: F401  # they add their routes
    activity_routes,
    alert_routes,
    database_routes,
    fleet_routes,
)
from opsboard.features.health.advice import advise, advise_on_disk
from opsboard.features.health.alert_measures import COUNTS
from opsboard.features.health.area import area, sql
from opsboard.features.health.fleet import (
    line,
    live_and_silent,
    of_prefix,
    total_cache,
    total_pool,
    total_threads,
)
from opsboard.features.health.fleet_now import look_at_fleet
from opsboard.features.health.plain_text import as_plain_text
from opsboard.features.health.schemas import (
    CacheHealth,
    Cleared,
    DatabaseHealth,
    DatabaseTest,
    Health,
    Ready,
    RollupHealth,
)
from opsboard.fleet.heartbeat import SILENT_AFTER
from opsboard.observability import record
from opsboard.observability.build import commit
from opsboard.web.access import for_operators, only_for, open_to_all, operational, without_database
from opsboard.web.arguments import Arguments, Text, optional_body
from opsboard.web.openapi import takes_no_key
from opsboard.web.services import identity, services

log = structlog.get_logger(__name__)

# Seconds a clear waits for the other workers, of which those at rest read once a second, and between two checks.
PATIENCE = 1.5
POLL = 0.01
STARTED = time.time()
# One recount of a worker at a time: it holds a connection of those that answers about health have.
RECOUNT = Lock()
Prefix = Annotated[
    Text | None,
    Field(
        max_length=100,
        examples=["dashboard"],
        description="The beginning of an endpoint's name: dashboard, dashboard.stats.",
    ),
]


class RecountUnderWay(OpsboardError):
    """This worker is already recounting for another request."""

    status = 503
    code = "recount_under_way"
    advice = "one recount of a worker at a time"
    title = "Counting"
    retry_after = 5
    default_detail = "Another recount is under way; try again in a moment."


class OfPrefix(Arguments):
    prefix: Prefix = None


@area.get("")
@area.output(Health)
@open_to_all
@without_database
@operational
def health() -> Response:
    """Answer while this worker is alive; never touches the database."""
    return jsonify(
        status="ok", version=__version__, commit=commit(), uptime_seconds=int(time.time() - STARTED)
    )


@area.get("/ready")
@area.output(Ready)
@open_to_all
@operational
def ready() -> Response:
    """200 when requests can be served, 503 while the database is away or not migrated."""
    try:
        found = services().lookout.fetch_unbound(
            schema.missing_migrations, {"ids": list(expected_migrations())}
        )
    except DeadlineExceeded as error:
        raise DatabaseUnavailable() from error
    if found is None or found[0]:
        raise SchemaMissing()
    return jsonify(status="ready")


@area.get("/db")
@area.output(DatabaseHealth)
@for_operators
@operational
def db() -> Response:
    """The connections of all workers on all machines, the database server, and advice."""
    fleet = look_at_fleet()
    live, silent = live_and_silent(fleet.workers)
    pool = total_pool(worker["report"] for worker in live)
    threads = total_threads(worker["report"] for worker in live)
    advice = advise(
        services().config,
        pool,
        fleet.server,
        len(live),
        [worker["id"] for worker in silent],
        threads,
        fleet.problem,
    )
    advise_on_disk((worker["report"] for worker in live), advice)
    return jsonify(
        status=advice.status,
        pool_stats=pool,
        answered_by=services().change_feed.worker.id,
        workers=[line(worker, "pool") for worker in fleet.workers],
        silent=[worker["id"] for worker in silent],
        request_threads=threads,
        server=fleet.server,
        warnings=advice.warnings,
        recommendations=advice.recommendations,
        age_seconds=fleet.age,
        problem=fleet.problem,
    )


@area.get("/db/test")
@area.output(DatabaseTest)
@for_operators
@operational
def db_test() -> Response:
    """Run a real query and return its time."""
    began = time.perf_counter()
    result = json.loads(services().lookout.ask(sql.test, identity=identity(), remember=False).row[0])  # type: ignore[index]
    return jsonify(status="ok", ms=round((time.perf_counter() - began) * 1000, 2), result=result)


@area.get("/rollups")
@area.output(RollupHealth)
@only_for(Role.ADMIN)
@operational
def rollups() -> Response:
    """Recount everything of your business and compare. It must find no difference; it takes as long as counting."""
    lookout = services().lookout
    # Counting takes as long as it takes, on a server that answers; one that does not is not waited for.
    lookout.require_answer(schema.missing_migrations, {"ids": []})
    if not RECOUNT.acquire(blocking=False):
        raise RecountUnderWay()
    try:
        # On the other of the two connections.
        counting = Database(lookout.database.pool, services().config.request_deadline, prepared_statements=0)
        found = json.loads(counting.fetch_json(patient_only_briefly(sql.rollups), identity()))
    finally:
        RECOUNT.release()
    services().alerts.note(f"{COUNTS}{identity().tenant_id}", len(found["differences"]))
    return jsonify(status="wrong" if found["differences"] else "ok", **found)


@area.get("/cache")
@area.input(OfPrefix, location="query", arg_name="wanted")
@area.output(CacheHealth)
@for_operators
@operational
def cache(wanted: OfPrefix) -> Response:
    """The caches of all workers: entries, hits, misses, bytes, in all and per endpoint."""
    fleet = look_at_fleet()
    live, silent = live_and_silent(fleet.workers)
    total = total_cache(worker["report"] for worker in live)
    return jsonify(
        status="ok" if services().config.cache_enabled else "off",
        cache_stats=of_prefix(total, wanted.prefix) if wanted.prefix else total,
        answered_by=services().change_feed.worker.id,
        workers=[line(worker, "cache") for worker in fleet.workers],
        silent=[worker["id"] for worker in silent],
        age_seconds=fleet.age,
        problem=fleet.problem,
    )


@area.post("/cache/clear")
@area.output(Cleared)
@optional_body(area, OfPrefix, "wanted")
@takes_no_key
@for_operators
@operational
def clear_cache(wanted: OfPrefix) -> Response:
    """Drop all entries, or those of a prefix, in every worker; the answer says which have done so."""
    began = time.perf_counter()
    lookout, change_feed = services().lookout, services().change_feed
    order = change_feed.order_clear(lookout, wanted.prefix)
    note_clear(wanted.prefix)
    while True:
        told = json.loads(
            lookout.ask(  # type: ignore[index]
                sql.who_cleared,
                {"order_id": order, "silent_after": SILENT_AFTER},
                identity(),
                remember=False,
            ).row[0]
        )
        cleared, waiting = told["cleared"], told["waiting"]
        elapsed = time.perf_counter() - began
        # Silent workers are not waited for: they are stale, and clear before they use cached bodies again.
        if len(waiting) == told["silent"] or elapsed > PATIENCE:
            break
        time.sleep(POLL)
    return jsonify(
        status="partial" if waiting else "ok",
        prefix=wanted.prefix,
        cleared=cleared,
        waiting=waiting,
        acknowledged=len(cleared),
        workers=len(cleared) + len(waiting),
        ms=round(elapsed * 1000, 1),
    )


def note_clear(prefix: str | None) -> None:
    """Write who cleared the cache into the audit log. It may be locked: then only the log of the service has it."""
    request = record.current()
    values = {"prefix": prefix, "request_id": request.request_id if request else None}
    log.info("cache cleared", prefix=prefix, business=identity().tenant_id, user=identity().user_id)
    try:
        services().lookout.ask(sql.note_clear, values, identity(), remember=False)
    except OpsboardError as error:
        log.warning("audit entry not written", outcome="clear", error=error.code)


area.after_request(as_plain_text)


@area.record_once
def answer_under_health(state: BlueprintSetupState) -> None:
    state.app.register_blueprint(area, url_prefix="/health", name="root_health")
