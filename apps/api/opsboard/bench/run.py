"""One run: the chosen tables one after the other, each on servers of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from opsboard import __version__
from opsboard.bench import machine
from opsboard.bench.ground import Bench, Report
from opsboard.bench.measures import clears, dashboards, freshness, hits, sizes, writes
from opsboard.bench.results import Run, Table
from opsboard.bench.tables import plural
from opsboard.bench.wanted import Wanted
from opsboard.config import Config

MEASURES: dict[str, Callable[[Bench], list[Table]]] = {
    "hits": hits.measure,
    "sizes": sizes.measure,
    "writes": writes.measure,
    "freshness": freshness.measure,
    "dashboards": dashboards.measure,
    "clears": clears.measure,
}


def run(config: Config, wanted: Wanted, names: tuple[str, ...], parent: Path | None, report: Report) -> Run:
    """Everything lies in a folder that is removed afterwards."""
    before, began = machine.load_average(), machine.clock()
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(
        prefix="opsboard-bench-", dir=parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        # Postgres refuses to be root, so root's server is another user's, who must get there.
        folder.chmod(0o755)
        bench = Bench(config, wanted, folder, report)
        for chosen in names:
            tables += MEASURES[chosen](bench)
    return Run(facts(config, wanted, before, machine.clock() - began), tables)


def facts(config: Config, wanted: Wanted, load_before: float, took: float) -> dict[str, str]:
    """Where, when and on what it was measured."""
    return {
        "Date": machine.today(),
        "Machine": f"{machine.processor()}, {machine.memory()}",
        "System": machine.system(),
        "Versions": f"Opsboard {__version__}, {machine.versions()}",
        "Postgres": f"{machine.postgres()} (private, fsync and synchronous_commit on)",
        "Rounds": f"{plural(wanted.rounds, 'round')}; rows take turns within each",
        "Load average": f"{load_before:.1f} before, {machine.load_average():.1f} after; "
        "the benchmark by itself makes about 2",
        "Took": f"{took / 60:.0f} minutes",
    }
