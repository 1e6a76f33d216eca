"""/api/health/indexes, /queries, /tables and /journeys: how the database is used, for admins; one statement each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from flask import Response, current_app, jsonify

from opsboard.db.index_catalogue import Index, read_catalogue
from opsboard.db.lookout import Seen
from opsboard.db.queries import Query
from opsboard.features.health.advice import Advice, advise_on_journeys
from opsboard.features.health.area import area, sql
from opsboard.features.health.database_schemas import IndexHealth, JourneyHealth, QueryHealth, TableHealth
from opsboard.web.access import for_operators, operational
from opsboard.web.services import identity, services

HOW_TO_INSTALL = (
    "Not installed: add pg_stat_statements to shared_preload_libraries, restart the server and, in this database, "
    "run CREATE EXTENSION pg_stat_statements as a superuser."
)


def look(query: Query, params: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Asks the database about itself; if it does not answer in time, returns the last answer and its age."""
    seen = services().lookout.ask(query, params, identity())
    assert seen.row is not None  # json_build_object always gives a row
    return json.loads(seen.row[0]), age_of(seen)


def age_of(seen: Seen) -> dict[str, Any]:
    return {"age_seconds": round(seen.age, 1), "problem": seen.problem.detail if seen.problem else None}


@area.get("/indexes")
@area.output(IndexHealth)
@for_operators
@operational
def indexes() -> Response:
    """Every index with its use and the queries it serves; missing, invalid, unused and duplicate ones."""
    found, age = look(sql.indexes)
    catalogue, present = migrated_indexes(), {index["name"] for index in found["indexes"]}
    addresses = addresses_of_views()
    for index in found["indexes"]:
        known = catalogue.get(index["name"])
        index["serves"] = known.serves if known else None
        if index["definition"] is None:
            index["definition"] = known.statement if known else ""
        # They would be slower without the index.
        index["endpoints"] = sorted({a for name in known.queries for a in addresses[name]}) if known else []
    missing = [name for name in catalogue if name not in present]
    invalid = [index["name"] for index in found["indexes"] if not index["valid"]]
    return jsonify(
        status="warning" if missing or invalid or found["foreign_keys_without_index"] else "ok",
        missing=missing,
        invalid=invalid,
        unused=[index["name"] for index in found["indexes"] if not index["scans"] and not index["unique"]],
        duplicate=[index["name"] for index in found["indexes"] if index["duplicates"]],
        **found,
        **age,
    )


@cache
def migrated_indexes() -> dict[str, Index]:
    """The catalogue, read once, for that takes about as long as the answer may."""
    return read_catalogue()


def indexes_of_queries() -> dict[str, list[str]]:
    """The indexes that the migrations made for each query."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, index in migrated_indexes().items():
        for query in index.queries:
            found[query].append(name)
    return found


def addresses_of_views() -> dict[str, list[str]]:
    """Method and address of each view, by the name that it shares with its query."""
    addresses: dict[str, list[str]] = defaultdict(list)
    for rule in current_app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            addresses[rule.endpoint].append(f"{method} {rule.rule}")
    return addresses


@area.get("/queries")
@area.output(QueryHealth)
@for_operators
@operational
def queries() -> Response:
    """The slowest statements of the server, and the counts of each named query over all workers since they started."""
    found, age = look(sql.slow_queries)
    change_feed = services().change_feed
    reports = [
        worker["queries"] or [] for worker in found["workers"] if worker["id"] != change_feed.worker.id
    ]
    statements = found["statements"]
    addresses, indexes = addresses_of_views(), indexes_of_queries()
    uses = [
        {**use, "endpoints": sorted(addresses[use["query"]]), "indexes": indexes[use["query"]]}
        for use in totals([*reports, change_feed.own_report()["queries"]])
    ]
    return jsonify(
        pg_stat_statements="installed" if statements is not None else HOW_TO_INSTALL,
        statements=statements,
        slow_query_ms=services().config.slow_query_ms,
        queries=uses,
        workers=len(reports) + 1,
        **age,
    )


def totals(reports: Iterable[Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Each query over all workers, the slowest on average first."""
    sums: dict[str, list[float]] = {}
    for series in (series for report in reports for series in report):
        count, seconds, longest = sums.get(series["name"], [0, 0.0, 0.0])
        sums[series["name"]] = [
            count + sum(series["counts"]), seconds + series["seconds"], max(longest, series["longest"]),
        ]  # fmt: skip
    found = [
        {
            "query": name,
            "count": count,
            "mean_ms": round(seconds * 1000 / count, 3),
            "max_ms": round(longest * 1000, 3),
            "total_ms": round(seconds * 1000, 1),
        }
        for name, (count, seconds, longest) in sums.items()
    ]
    return sorted(found, key=lambda query: -query["mean_ms"])


@area.get("/tables")
@area.output(TableHealth)
@for_operators
@operational
def tables() -> Response:
    """Every table: live and dead rows, size, how it is read, last vacuum and analyze, and which are due."""
    found, age = look(sql.tables)
    due = [table["name"] for table in found["tables"] if table["vacuum_due"] or table["analyze_due"]]
    return jsonify(due=due, **found, **age)


@area.get("/journeys")
@area.output(JourneyHealth)
@for_operators
@operational
def journeys() -> Response:
    """The runners that execute due steps of journeys, of all businesses."""
    found, age = look(sql.journeys)
    if not found["is_known"]:
        age["problem"] = "A table of the journeys is locked: see `blocked` of /api/health/db."
    advice = Advice("ok" if found["is_known"] else "unknown")
    advise_on_journeys(found["oldest_due_seconds"], advice)
    return jsonify(
        status=advice.status,
        oldest_due_seconds=found["oldest_due_seconds"],
        warnings=advice.warnings,
        recommendations=advice.recommendations,
        **age,
    )
