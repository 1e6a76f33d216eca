"""Results of a run as plain data: tables of rows with a value for each round, promises and plots; stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """One figure of every row: how a value is written, and whether its lowest and highest are shown too."""

    key: str
    head: str
    form: str = ",.2f"
    unit: str = ""
    spread: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """One thing measured; a value for each round, by column. `missing` says why there are none."""

    label: str
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ours: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Promise:
    """A bar and what was measured, a value for each round. `doubt`: why this run cannot decide."""

    words: str
    bound: float
    values: Sequence[float]
    at_least: bool = True
    doubt: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Series:
    """A line of a plot, or a bar for each label; low and high are the spread where there is one."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    ours: bool = False


@dataclass(frozen=True)
class Plot:
    """`kind` is bars (a series is one bar, its length x) or lines. `bar`: where the promise stands."""

    name: str
    kind: str
    title: str
    x: str
    y: str
    series: Sequence[Series]
    bar: float | None = None
    log: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the report with what belongs to it."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    promises: Sequence[Promise] = ()
    plots: Sequence[Plot] = ()
    # Rows of peers that are ahead of ours, in words.
    slower: Sequence[str] = ()


@dataclass(frozen=True)
class Run:
    """Everything a report is made of."""

    facts: Mapping[str, str]
    tables: Sequence[Table]


def as_json(run: Run) -> dict[str, Any]:
    return asdict(run)


def from_json(found: Mapping[str, Any]) -> Run:
    return Run(found["facts"], [table_from(table) for table in found["tables"]])


def table_from(found: Mapping[str, Any]) -> Table:
    parts = {
        "columns": [Column(**column) for column in found["columns"]],
        "rows": [Row(**row) for row in found["rows"]],
        "promises": [Promise(**promise) for promise in found["promises"]],
        "plots": [
            Plot(**{**plot, "series": [Series(**series) for series in plot["series"]]})
            for plot in found["plots"]
        ],
    }
    return Table(**{**found, **parts})
