"""Answers while something is wrong: reloads, floods of sign-ins, half requests, a database that is away."""

from __future__ import annotations

from opsboard_bench.environment import Bench, with_demo_data
from opsboard_bench.incidents import away, forgotten, half, health, neighbour, reload, sign_ins
from opsboard_bench.incidents.finding import Finding
from opsboard_bench.results import Column, Promise, Row, Table

CASES = (
    reload.measure,
    sign_ins.measure,
    neighbour.measure,
    half.measure,
    forgotten.measure,
    health.measure,
    away.measure,
)


def measure(bench: Bench) -> list[Table]:
    found: list[Finding] = []
    with with_demo_data(bench, "incidents") as environment:
        for case in CASES:
            found += case(bench, environment)
    return [table(found)]


def table(found: list[Finding]) -> Table:
    return Table(
        name="incidents",
        title="While something is wrong",
        about="Real gunicorn, no nginx in front. Gaps and times are the longest, or the percentile that is named.",
        columns=[Column("value", "measured", ",.2f", strong=True), Column("bound", "promised", ",.2f")],
        rows=[
            Row(
                f"{one.words}{one.unit and f' ({one.unit})'}",
                {"value": [one.value], "bound": [one.bound]},
                ours=True,
            )
            for one in found
        ],
        promises=[
            Promise(one.words, one.bound, [one.value], at_least=one.at_least, unit=one.unit) for one in found
        ],
    )
