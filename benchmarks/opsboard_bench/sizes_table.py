"""The tables of sizes: times at each size, and as a ratio to the smallest."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from opsboard_bench.figures import spread
from opsboard_bench.reads import (
    ANEW,
    BY_MONTH,
    BY_STATUS,
    COUNTED,
    FOUR_STATEMENTS,
    ONE_PREPARED,
    ROLLUPS,
    TOTAL,
    VIEW,
    Times,
)
from opsboard_bench.results import Column, Plot, Promise, Row, Series, Table

# Jobs -> times what it takes at the smallest size.
PROMISED = {1_000_000: 1.5, 10_000_000: 2.0}
OURS = (ROLLUPS, ANEW, BY_MONTH, BY_STATUS, TOTAL)
# The service's statement against a plain count in one statement, both prepared, at the smallest size.
TO_COUNTING = 1.0


def misses_table(sizes: Sequence[int], found: Times) -> Table:
    promises = [
        Promise(
            f"Miss at {size:,} jobs to {sizes[0]:,}: {label}", PROMISED[size], growth(times, sizes[0], size),
            at_least=False, doubt="the machine was busy",
        )
        for label, times in found.items()
        for size in sizes[1:]
        if size in PROMISED
    ]  # fmt: skip
    return Table(
        name="misses",
        title="A miss at any size",
        about="The whole answer over HTTP with the cache switched off: one worker, one connection, one statement. The "
        "business that asks has half of the jobs. A time is the median of a round's answers.",
        columns=columns(sizes),
        rows=[row(label, times, sizes, ours=True) for label, times in found.items()],
        promises=promises,
        plots=[plot("misses", "A miss at any size", found, sizes, tuple(found))],
    )


def statements_table(sizes: Sequence[int], found: Times) -> Table:
    last = sizes[-1]
    to_counting = [
        ours / theirs
        for ours, theirs in zip(found[ROLLUPS][sizes[0]], found[ONE_PREPARED][sizes[0]], strict=False)
    ]
    shown = (ROLLUPS, ONE_PREPARED, FOUR_STATEMENTS, VIEW, "Materialized view, refresh")
    return Table(
        name="statements",
        title="The same numbers, made in other ways",
        about="Only the statements, sent to Postgres as the service sends them and under the same row security. "
        "Prepared ones are planned once on the connection. The view holds the counts of jobs alone and is as old as "
        "its last refresh; all others are exact. Slow ones have fewer rounds. Last column: how many times what the "
        f"service does takes, at {last:,} jobs.",
        columns=[*columns(sizes), Column("to_ours", "÷ ours", ",.1f")],
        rows=[against(row(label, times, sizes, label in OURS), label, found, last) for label, times in found.items()],
        promises=[
            Promise(
                f"The dashboard's statement to its counts in one statement, both prepared, at {sizes[0]:,} jobs",
                TO_COUNTING, to_counting, at_least=False, doubt="the machine was busy",
            )
        ],
        plots=[plot("statements", "The dashboard's counts, made in other ways", found, sizes, shown)],
        slower=slower(sizes, found),
    )  # fmt: skip


def columns(sizes: Sequence[int]) -> list[Column]:
    found = [Column(f"at_{size}", f"{size:,} jobs", ",.2f", "ms") for size in sizes]
    for size in sizes[1:]:
        found.append(Column(f"x_{size}", f"{size:,} ÷ {sizes[0]:,}", ",.2f", spread=True, strong=True))
    return found


def row(label: str, times: dict[int, list[float]], sizes: Sequence[int], ours: bool) -> Row:
    values = {f"at_{size}": times[size] for size in sizes}
    values |= {f"x_{size}": growth(times, sizes[0], size) for size in sizes[1:]}
    return Row(label, values, ours)


def growth(times: dict[int, list[float]], smallest: int, size: int) -> list[float]:
    """Of each round that both sizes have."""
    return [one / of for one, of in zip(times[size], times[smallest], strict=False)]


def against(row: Row, label: str, found: Times, size: int) -> Row:
    """With its ratio to what the service does instead."""
    ours = found[counterpart(label)][size]
    ratio = [one / of for one, of in zip(found[label][size], ours, strict=False)]
    return Row(row.label, {**row.values, "to_ours": ratio}, row.ours)


def counterpart(label: str) -> str:
    plain = label.removesuffix(COUNTED)
    return plain if plain in OURS else ROLLUPS


def slower(sizes: Sequence[int], found: Times) -> list[str]:
    """Where another way is faster than the service's, by the medians."""
    said = []
    for label, times in found.items():
        ours = counterpart(label)
        behind = [size for size in sizes if median(times[size]) < median(found[ours][size])]
        if label not in OURS and behind:
            ratios = ", ".join(
                f"{median(found[ours][size]) / median(times[size]):.1f} times at {size:,} jobs"
                for size in behind
            )
            said.append(f"{ours} takes longer than: {label} ({ratios}).")
    return said


def plot(name: str, title: str, found: Times, sizes: Sequence[int], labels: Sequence[str]) -> Plot:
    lines = []
    for label in labels:
        spreads = [spread(found[label][size]) for size in sizes]
        lines.append(
            Series(
                label, [float(size) for size in sizes], [one.middle for one in spreads], [one.low for one in spreads],
                [one.high for one in spreads], label in (ROLLUPS, "`/api/dashboard/stats`"),
            )
        )  # fmt: skip
    return Plot(
        name, "lines", title, "jobs in the shop", "milliseconds (median, lowest to highest)", lines, log=True
    )
