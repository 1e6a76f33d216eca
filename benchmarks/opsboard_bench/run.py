"""One run: the chosen tables one after the other, each on servers of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from opsboard import __version__
from opsboard.config import Config
from opsboard.errors import CommandError
from opsboard_bench import machine
from opsboard_bench.environment import Bench, Report
from opsboard_bench.measures import (
    clears,
    dashboards,
    endpoints,
    freshness,
    hits,
    idle,
    incidents,
    lists,
    planning,
    sizes,
    writes,
)
from opsboard_bench.options import Options
from opsboard_bench.results import Row, Run, Table
from opsboard_bench.tables import plural

FAILED = "Failed: "
# Measured only when they are named: they stop and flood servers for minutes, or wait until workers rest.
BY_NAME = ("incidents", "idle")
MEASURES: dict[str, Callable[[Bench], list[Table]]] = {
    "hits": hits.measure,
    "sizes": sizes.measure,
    "planning": planning.measure,
    "writes": writes.measure,
    "freshness": freshness.measure,
    "dashboards": dashboards.measure,
    "lists": lists.measure,
    "clears": clears.measure,
    "incidents": incidents.measure,
    "idle": idle.measure,
    "endpoints": endpoints.measure,
}


def run(
    config: Config,
    options: Options,
    names: tuple[str, ...],
    parent: Path | None,
    report: Report,
    keep: Callable[[Run], object],
) -> Run:
    """Everything lies in a folder that is removed afterwards. `keep` is given what there is after each measurement.

    One that fails is a table that says so: the others took long enough.
    """
    before, began = machine.load_average(), machine.clock()
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(
        prefix="opsboard-bench-", dir=parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        # Postgres refuses to be root, so root's server is another user's, who must get there.
        folder.chmod(0o755)
        bench = Bench(config, options, folder, report)
        for name in names:
            tables += attempted(bench, name)
            found = Run(facts(config, options, before, machine.clock() - began), tables)
            keep(found)
    return found


def usual() -> tuple[str, ...]:
    """The measures of a run that names none."""
    return tuple(name for name in MEASURES if name not in BY_NAME)


def attempted(bench: Bench, name: str) -> list[Table]:
    try:
        return MEASURES[name](bench)
    except (CommandError, OSError) as error:
        bench.report(f"{name}: failed: {error}")
        return [Table(name, FAILED + name, "", [], [Row(name, missing=str(error))])]


def facts(config: Config, options: Options, load_before: float, took: float) -> dict[str, str]:
    """Where, when and on what it was measured."""
    return {
        "Date": machine.today(),
        "Machine": f"{machine.processor()}, {machine.memory()}",
        "System": machine.system(),
        "Versions": f"Opsboard {__version__}, {machine.versions()}",
        "Postgres": f"{machine.postgres()} (private, fsync and synchronous_commit on)",
        "Rounds": f"{plural(options.rounds, 'round')}; rows take turns within each",
        "Load average": f"{load_before:.1f} before, {machine.load_average():.1f} after; "
        "the benchmark by itself makes about 2",
        "Took": f"{took / 60:.0f} minutes",
    }
