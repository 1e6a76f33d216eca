"""Results of a run as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opsboard_bench.figures import Spread, spread
from opsboard_bench.results import Column, Promise, Row, Run, Table


def markdown(run: Run, pictures: Mapping[str, str] | None = None) -> str:
    """All tables; with the pictures, by plot, where the document will find them."""
    parts = [table(["", ""], ([name, fact] for name, fact in run.facts.items()))]
    parts += ["### Promises", promises(run.tables), "### What is slower than a peer", slower(run.tables)]
    for one in run.tables:
        parts += section(one, pictures or {})
    return "\n\n".join(filter(None, parts))


def by_itself(run: Run) -> str:
    """Tables that were written without the others: when and where, their promises, and they."""
    parts = [table(["", ""], ([name, fact] for name, fact in run.facts.items())), promises(run.tables)]
    for one in run.tables:
        parts += section(one, {})
    return "\n\n".join(filter(None, parts))


def section(one: Table, pictures: Mapping[str, str]) -> list[str]:
    shown = [f"![{plot.title}]({pictures[plot.name]})" for plot in one.plots if plot.name in pictures]
    return [f"### {one.title}", one.about, rows(one), *missing(one.rows), *one.notes, *shown]


def rows(one: Table) -> str:
    head = [""]
    for column in one.columns:
        head += [column.head, "lowest to highest"] if column.spread else [column.head]
    return table(head, (cells(row, one.columns) for row in one.rows))


def cells(row: Row, columns: Sequence[Column]) -> list[str]:
    found = [row.label]
    for column in columns:
        values = row.values.get(column.key)
        if not values:
            found += ["not measured" if row.missing else "", *([""] if column.spread else [])]
            continue
        measured = spread(values)
        middle = figure(measured.middle, column.form, column.unit)
        found.append(f"**{middle}**" if column.strong else middle)
        if column.spread:
            found.append(between(measured, column.form))
    return found


def missing(found: Sequence[Row]) -> list[str]:
    return [f"Not measured: {row.label}: {row.missing}." for row in found if row.missing]


def promises(tables: Sequence[Table]) -> str:
    """Each bar, what was measured, and whether the median keeps it."""
    lines = [line(promise) for one in tables for promise in one.promises]
    if not lines:
        return "None of what was measured has one."
    return table(["", "promised", "measured", "lowest to highest", "kept"], lines)


def line(promise: Promise) -> list[str]:
    measured = spread(promise.values)
    sign = "at least" if promise.at_least else "at most"
    return [
        promise.words,
        f"{sign} {figure(promise.bound, 'g', promise.unit)}",
        f"**{figure(measured.middle, number_form(promise), promise.unit)}**",
        between(measured, number_form(promise)),
        verdict(promise),
    ]


def number_form(promise: Promise) -> str:
    return ",.0f" if promise.bound == 0 or promise.bound >= 50 else ",.2f"


def verdict(promise: Promise) -> str:
    """By the median; not decided where the spread of a busy machine reaches over the bar."""
    measured = spread(promise.values)
    kept = measured.middle >= promise.bound if promise.at_least else measured.middle <= promise.bound
    said = "yes" if kept else "**no**"
    straddles = measured.low < promise.bound < measured.high
    return f"{said}, but undecided: {promise.doubt}" if promise.doubt and straddles else said


def slower(tables: Sequence[Table]) -> str:
    found = [f"- {words}" for one in tables for words in one.slower]
    return "\n".join(found) or "Nothing, in what this run compared."


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    aligned = ["---:" if name else "---" for name in head]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, aligned, *lines])


def figure(value: float, form: str, unit: str) -> str:
    return f"{value:{form}} {unit}".rstrip()


def between(values: Spread, form: str = ".2f") -> str:
    return f"{values.low:{form}} to {values.high:{form}}"


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
