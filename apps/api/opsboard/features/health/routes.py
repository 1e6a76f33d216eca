"""/api/health/...: open and cheap at the top, detail for admins below; the same tree answers under /health."""

from __future__ import annotations

import json
import os
import time
from importlib.metadata import version
from typing import Annotated, Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, jsonify
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.db.queries import load_queries
from opsboard.features.health.advice import advise
from opsboard.features.health.documents import (
    CacheHealth,
    Cleared,
    DatabaseHealth,
    DatabaseTest,
    Health,
    Ready,
)
from opsboard.web.access import only_for, open_to_all
from opsboard.web.arguments import Arguments, Text, optional_body
from opsboard.web.services import identity, services

bp = APIBlueprint("health", __name__, url_prefix="/api/health", tag="Health")
sql = load_queries(__package__)

STARTED = time.time()
VERSION = version("opsboard")
Prefix = Annotated[
    Text | None,
    Field(max_length=100, description="The beginning of an endpoint's name: dashboard, dashboard.stats."),
]


class OfPrefix(Arguments):
    prefix: Prefix = None


@bp.get("")
@bp.output(Health)
@open_to_all
def health() -> Response:
    """Whether this worker answers; never touches the database."""
    return jsonify(status="ok", version=VERSION, uptime_seconds=int(time.time() - STARTED))


@bp.get("/ready")
@bp.output(Ready)
@open_to_all
def ready() -> Response:
    """200 when requests can be served, 503 while the database is away or not migrated."""
    services().database.fetch_unbound(sql.ready)
    return jsonify(status="ready")


@bp.get("/db")
@bp.output(DatabaseHealth)
@only_for(Role.ADMIN)
def db() -> Response:
    """The pool of the worker that answers, the server it uses, and what to do about either."""
    pool = services().database.pool
    server = json.loads(services().database.fetch_json(sql.server, identity()))
    stats = pool.get_stats()
    advice = advise(services().config, stats, server)
    return jsonify(
        status=advice.status,
        worker=os.getpid(),
        pool_stats={**pool.reference_stats(), **stats},
        server=server,
        warnings=advice.warnings,
        recommendations=advice.recommendations,
    )


@bp.get("/db/test")
@bp.output(DatabaseTest)
@only_for(Role.ADMIN)
def db_test() -> Response:
    """Run a real query and tell how long it took."""
    began = time.perf_counter()
    result = json.loads(services().database.fetch_json(sql.test, identity()))
    return jsonify(status="ok", ms=round((time.perf_counter() - began) * 1000, 2), result=result)


@bp.get("/cache")
@bp.input(OfPrefix, location="query", arg_name="wanted")
@bp.output(CacheHealth)
@only_for(Role.ADMIN)
def cache(wanted: OfPrefix) -> Response:
    """The cache of the worker that answers: entries, hits, misses, bytes, in all and per endpoint."""
    stats: dict[str, Any] = services().store.stats(wanted.prefix)
    return jsonify(
        status="ok" if services().config.cache_enabled else "off", worker=os.getpid(), cache_stats=stats
    )


@bp.post("/cache/clear")
@bp.output(Cleared)
@optional_body(bp, OfPrefix, "wanted")
@only_for(Role.ADMIN)
def clear_cache(wanted: OfPrefix) -> Response:
    """Drop all entries, or those of a prefix, in the worker that answers."""
    dropped = services().store.clear(wanted.prefix)
    return jsonify(status="ok", worker=os.getpid(), prefix=wanted.prefix, cleared=dropped)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(bp, url_prefix="/health", name="root_health")
