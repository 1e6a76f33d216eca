"""Boards that poll their lists, too, while somebody writes: with pages of lists kept, and without."""

from __future__ import annotations

from opsboard_bench.environment import Bench, Environment, with_demo_data
from opsboard_bench.fleet import fleet_on
from opsboard_bench.measures.dashboards import COLUMNS, figures, poll, writing
from opsboard_bench.results import Promise, Row, Table
from opsboard_bench.scenarios import STATS

PATHS = (
    STATS,
    "/api/jobs?overdue=true&sort=due_date&page_size=8",
    "/api/jobs/at-risk?page_size=8",
    "/api/job-steps?mine=true&status=pending&page_size=8",
    "/api/notifications?page_size=8",
)
KEPT = {"pages kept": {}, "pages not kept": {"CACHE_TTL_LISTS": "0"}}
PAUSES = {"a write every 5 s": 5.0, "ten writes a second": 0.1}


def measure(bench: Bench) -> list[Table]:
    rows = []
    with with_demo_data(bench, "lists") as environment:
        for what, settings in KEPT.items():
            rows += rows_with(bench, environment, what, settings)
    return [table(bench, rows)]


def rows_with(bench: Bench, environment: Environment, what: str, settings: dict[str, str]) -> list[Row]:
    """A fleet with these settings, watched under each rate of writes."""
    options, found = bench.options, []
    with fleet_on(bench, "lists", environment, **settings) as service:
        for often, pause in PAUSES.items():
            bench.report(f"lists: {what}, {often}")
            with writing(service, min(pause, options.watched)):
                seen = poll(bench, service, PATHS, boards(bench))
            found.append(
                Row(
                    f"{what[0].upper()}{what[1:]}, {often}", figures(seen, options.watched), ours=not settings
                )
            )
    return found


def boards(bench: Bench) -> int:
    """As many as make the requests of the dashboards that poll one address."""
    return max(1, bench.options.dashboards // len(PATHS))


def table(bench: Bench, rows: list[Row]) -> Table:
    options = bench.options
    quiet, _, before, _ = rows
    return Table(
        name="lists",
        title=f"{boards(bench):,} boards that poll their lists, too, every {options.every:g} s",
        about=f"Each board asks for {len(PATHS)} things on connections of their own and names the answers it has: "
        f"{', '.join(f'`{path}`' for path in PATHS)}. {options.fleet} workers; six people of two businesses. Somebody "
        "changes the status of a job now and then, which every kept page of jobs of that business then misses. "
        "`CACHE_TTL_LISTS=0` keeps no page, as it was before pages were kept.",
        columns=COLUMNS,
        rows=rows,
        promises=[
            Promise(
                "Statements of boards that poll lists, of those without kept pages, a write every 5 s",
                0.25,
                [quiet.values["statements"][0] / before.values["statements"][0]],
                at_least=False,
            ),
            Promise(
                "Errors of the boards' polls",
                0,
                [sum(row.values["errors"][0] for row in rows)],
                at_least=False,
            ),
        ],
    )  # fmt: skip
