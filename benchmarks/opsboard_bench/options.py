"""Sizes of a run: usual, full or quick."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    rounds: int = 7
    seconds: float = 1.5  # of one row in one round
    workers: tuple[int, ...] = (1, 2)
    jobs: int = 20_000
    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    rows: tuple[int, ...] = (10_000,)  # of each large table of the table `endpoints`
    # Seconds that one statement at one size may take in all rounds; a slow one has fewer rounds, never none.
    patience: float = 12.0
    clients: int = 8  # of pgbench
    bulk: int = 10_000  # rows of a bulk statement
    commits: int = 510
    clears: int = 200
    fleet: int = 4  # workers that freshness, dashboards and clears are about
    dashboards: int = 1_000
    every: float = 5.0  # seconds between two polls of a dashboard
    watched: float = 30.0  # seconds that the dashboards are watched


LARGEST = 10_000_000
MANY_ROWS = 1_000_000
QUICK = Options(
    rounds=1, seconds=0.2, workers=(1,), jobs=300, sizes=(200, 400), rows=(400,), patience=0.1, clients=2, bulk=100,
    commits=6, clears=3, fleet=2, dashboards=20, every=0.5, watched=1.0,
)  # fmt: skip


def choose_options(quick: bool, full: bool, sizes: tuple[int, ...], **changes: object) -> Options:
    """The form, with what was asked for by name instead of its own."""
    form = QUICK if quick else Options()
    if full:
        form = replace(form, sizes=(*form.sizes, LARGEST), rows=(*form.rows, MANY_ROWS))
    given = {name: value for name, value in changes.items() if value}
    return replace(form, **({**given, "sizes": tuple(sorted(set(sizes)))} if sizes else given))  # type: ignore[arg-type]
