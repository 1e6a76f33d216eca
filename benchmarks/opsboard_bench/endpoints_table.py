"""The table `endpoints`: ours beside the way before, and what the reports say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from opsboard_bench.endpoint_ways import Claim, Endpoint
from opsboard_bench.figures import ratios
from opsboard_bench.results import Column, Promise, Row, Table
from opsboard_bench.tables import table

KIB = 1024


@dataclass
class Measured:
    """The figures of one endpoint: milliseconds by round, statements, bytes, and peak bytes of memory."""

    endpoint: Endpoint
    times: list[float] = field(default_factory=list)
    times_before: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    statements: int = 0
    statements_before: int = 0
    memory: int = 0
    memory_before: int = 0
    bytes: int = 0
    bytes_before: int = 0
    fields: int = 0
    gzip: int = 0
    shape: list[Any] = field(default_factory=list)  # of our statement's answer, and of the service's

    def ratio(self, of: str) -> float:
        """How many times ours the way before takes, of time, statements, memory or bytes."""
        if of == "time":
            return median(ratios(self.times_before, self.times))
        pairs = {
            "statements": (self.statements_before, self.statements),
            "memory": (self.memory_before, self.memory),
            "bytes": (self.bytes_before, self.bytes),
        }
        before, ours = pairs[of]
        return before / ours


def endpoints_table(name: str, rows: int, measured: Sequence[Measured]) -> Table:
    return Table(
        name=name,
        title=f"Endpoints, {rows:,} rows",
        about=f"Each large table has {rows:,} rows, of which the business that asks has half. Ours and before: the "
        "statements of one answer, sent to Postgres under the same row security, their rows read and written as JSON, "
        "in turns; over HTTP: the whole answer of one worker with its cache off. Memory: the most that Python "
        "allocates for one answer. `fields=` asks for one or two members.",
        columns=[
            Column("before", "before", ",.2f", "ms"),
            Column("ours", "ours", ",.2f", "ms"),
            Column("ratio", "before ÷ ours", ",.1f", spread=True, strong=True),
            Column("http", "over HTTP", ",.2f", "ms"),
            Column("statements_before", "statements before", ",.0f"),
            Column("statements", "ours", ",.0f"),
            Column("bytes", "bytes", ",.0f"),
            Column("fields", "`fields=`", ",.0f"),
            Column("gzip", "gzip", ",.0f"),
            Column("memory_before", "memory before", ",.0f", "KiB"),
            Column("memory", "ours", ",.0f", "KiB"),
        ],
        rows=[row(one) for one in measured],
        notes=[claims(measured), unreached(measured), slower(measured)],
        promises=[
            Promise(
                f"Most statements of an answer, endpoints at {rows:,} rows", 1,
                [max(one.statements for one in measured)], at_least=False,
            )
        ],
    )  # fmt: skip


def row(one: Measured) -> Row:
    figures: dict[str, Sequence[float]] = {
        "before": one.times_before,
        "ours": one.times,
        "ratio": ratios(one.times_before, one.times),
        "http": one.answers,
        "statements_before": [one.statements_before],
        "statements": [one.statements],
        "bytes": [one.bytes],
        "fields": [one.fields],
        "gzip": [one.gzip],
        "memory_before": [one.memory_before / KIB],
        "memory": [one.memory / KIB],
    }
    # Not every endpoint has `fields` or is asked over and over.
    return Row(
        one.endpoint.label, {name: values for name, values in figures.items() if any(values)}, ours=True
    )


def claims(measured: Sequence[Measured]) -> str:
    """Each figure of the reports beside the same ratio here."""
    lines = [
        [
            one.endpoint.label, one.endpoint.before.words, claim.item, claim.of, claim.words, f"{claim.ratio:,.1f}",
            f"**{one.ratio(claim.of):,.1f}**", "yes" if is_reached(one, claim) else "**no**",
        ]
        for one in measured
        for claim in one.endpoint.claims
    ]  # fmt: skip
    head = ["", "before", "item", "of", "the report says", "ratio there", "ratio here", "reached"]
    return table(head, lines)


def is_reached(one: Measured, claim: Claim) -> bool:
    return one.ratio(claim.of) >= claim.ratio


def unreached(measured: Sequence[Measured]) -> str:
    behind = [
        f"{one.endpoint.label}, {claim.of} ({one.ratio(claim.of):,.1f} of {claim.ratio:,.1f})"
        for one in measured
        for claim in one.endpoint.claims
        if not is_reached(one, claim)
    ]
    if not behind:
        return "Every ratio that a report claims is reached at this size."
    return f"Ratios that are not reached at this size: {'; '.join(behind)}."


def slower(measured: Sequence[Measured]) -> str:
    """Whole answers that take longer than a report's did after its change; on a machine that is not known."""
    behind = [
        f"{one.endpoint.label} ({median(one.answers):,.1f} ms)"
        for one in measured
        for claim in one.endpoint.claims
        if claim.of == "time" and one.answers and median(one.answers) > claim.after
    ]
    return (
        f"Whole answers that take longer than the report's after its change: {'; '.join(behind) or 'none'}."
    )
