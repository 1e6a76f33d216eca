"""The tables of answers: rates as ratios to the bare callable's of the same round, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from opsboard_bench.costs import Cost
from opsboard_bench.figures import percentile, ratios, spread
from opsboard_bench.results import Column, Plot, Promise, Row, Series, Table
from opsboard_bench.rounds import Answers, Measured
from opsboard_bench.scenarios import HIT, MISS, NOT_MODIFIED, REFERENCE, SIMPLE
from opsboard_bench.session import Session
from opsboard_bench.tables import between, plural

TO_BARE, TO_SIMPLE = 0.95, 2.5  # of the rates, promised for a cached hit and a 304
STEADY = 1.25  # the reference's fastest round to its slowest, on a machine with nothing else to do

COLUMNS = [
    Column("ratio", "÷ bare WSGI", spread=True, strong=True),
    Column("by_cpu", "by processor time"),
    Column("rate", "requests/s", ",.0f"),
    Column("cpu", "processor time/request", ",.0f", "µs"),
]
LATENCIES = [Column("p50", "p50", ",.2f", "ms"), Column("p99", "p99", ",.2f", "ms")]
ABOUT = (
    "Requests a second of `/api/dashboard/stats` by {connections} keep-alive connections to {workers} of the same "
    "gunicorn, as a ratio to the bare callable of the same round. {cores}. The answer has {size:,} bytes; the business "
    "{jobs:,} jobs."
)


def rates_table(measured: Measured, missing: dict[str, str], session: Session) -> Table:
    rows = [row(one, measured.reference) for one in measured.rows]
    rows += [Row(label, missing=why) for label, why in missing.items()]
    doubt = "" if is_steady(measured) else "the machine was busy"
    return Table(
        name=f"answers-{measured.workers}",
        title=f"Answers, {plural(measured.workers, 'worker')}",
        about=ABOUT.format(
            connections=measured.connections, workers=plural(measured.workers, "worker"), cores=measured.cores,
            size=len(session.body.encode()), jobs=session.stats["jobs"]["total"],
        ),
        columns=COLUMNS + (LATENCIES if measured.reference.latencies else []),
        rows=rows,
        notes=[*unrest(measured), generator(measured)],
        promises=promises(measured, doubt),
        plots=[plot(measured)],
        slower=slower(measured),
    )  # fmt: skip


def row(one: Answers, reference: Answers) -> Row:
    values = {"ratio": ratios(one.rates, reference.rates), "rate": one.rates, "cpu": one.cpu}
    if one.cpu:
        values["by_cpu"] = ratios(reference.cpu, one.cpu)
    if one.latencies:
        values |= {f"p{share:.0f}": [percentile(one.latencies, share / 100) / 1e6] for share in (50.0, 99.0)}
    return Row(one.scenario.label, values, ours=is_ours(one))


def is_ours(one: Answers) -> bool:
    return one.scenario.contender.application is None and not one.scenario.contender.behind_nginx


def promises(measured: Measured, doubt: str) -> list[Promise]:
    """Of the hit and the 304: against the bare callable and against the usual cache, by rate and by processor time."""
    by_name = {one.scenario.name: one for one in measured.rows}
    found = []
    workers = plural(measured.workers, "worker")
    for name, words in ((HIT.name, "cached hit"), (NOT_MODIFIED.name, "304")):
        for reference, bound in ((REFERENCE, TO_BARE), (SIMPLE, TO_SIMPLE)):
            if reference.name in by_name:
                of, ours = by_name[reference.name], by_name[name]
                label = f"{words} to {reference.label}, {workers}"
                found.append(Promise(f"Rate, {label}", bound, ratios(ours.rates, of.rates), doubt=doubt))
                if of.cpu:
                    found.append(
                        Promise(f"Processor time, {label}", bound, ratios(of.cpu, ours.cpu), doubt=doubt)
                    )
    return found


def plot(measured: Measured) -> Plot:
    bars = []
    for one in measured.rows:
        ratio = spread(ratios(one.rates, measured.reference.rates))
        bars.append(
            Series(one.scenario.label, [ratio.middle], [0.0], [ratio.low], [ratio.high], is_ours(one))
        )
    return Plot(
        f"answers-{measured.workers}",
        "bars",
        f"Requests a second, {plural(measured.workers, 'worker')}",
        "÷ bare WSGI callable, median of the rounds, lowest and highest",
        "",
        bars,
        TO_BARE,
    )


def slower(measured: Measured) -> list[str]:
    """Peers that answer faster than a cached hit, by the median ratio."""
    hit = next(one for one in measured.rows if one.scenario is HIT)
    found = []
    for one in measured.rows:
        ratio = spread(ratios(hit.rates, one.rates))
        if not is_ours(one) and ratio.middle < 1:
            found.append(
                f"A cached hit makes {ratio.middle:.2f} ({between(ratio)}) of the rate of: {one.scenario.label}, "
                f"{plural(measured.workers, 'worker')}."
            )
    return found


def unrest(measured: Measured) -> list[str]:
    """A warning when the machine had other work: then ratios of rates say less than they seem to."""
    if is_steady(measured):
        return []
    rate = spread(measured.reference.rates)
    return [
        f"**The machine was busy**: the bare callable itself made {between(rate, ',.0f')} requests/s, depending on "
        "the round. Rely on the ratios by processor time, and measure again on a quiet machine."
    ]


def is_steady(measured: Measured) -> bool:
    rate = spread(measured.reference.rates)
    return rate.high <= STEADY * rate.low


def generator(measured: Measured) -> str:
    """Say whether the figures could be the load generator's own."""
    limit, busy = spread(measured.ceiling), spread(measured.reference.busy)
    fastest = spread(measured.reference.rates)
    return (
        f"The load generator makes {limit.middle:,.0f} requests/s ({between(limit, ',.0f')}) against a server that "
        f"sends the same bytes without reading the request: {limit.middle / fastest.middle:.1f} times what it made "
        f"against the bare WSGI callable, where it was working {busy.middle:.0%} of the time."
    )


def costs_table(found: Sequence[Cost]) -> Table:
    return Table(
        name="costs",
        title="What an answer takes from the database",
        about="Counted over so many requests, one after the other: statements as `X-Queries` tells them, connections "
        "as the worker's pool counts checkouts.",
        columns=[
            Column("answers", "answers", ",.0f"),
            Column("statements", "statements", ",.0f"),
            Column("connections", "connections taken", ",.0f"),
        ],
        rows=[
            Row(
                one.scenario.label,
                {
                    "answers": [one.answers],
                    "statements": [one.statements],
                    "connections": [one.connections],
                },
                ours=True,
            )
            for one in found
        ],
        promises=[
            Promise(
                f"Statements and connections of {one.answers} answers: {one.scenario.label}",
                0,
                [one.statements + one.connections],
                at_least=False,
            )
            for one in found
            if one.scenario is not MISS
        ],
    )
