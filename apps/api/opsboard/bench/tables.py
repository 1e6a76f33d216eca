"""What a run says, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsboard import __version__
from opsboard.bench import machine
from opsboard.bench.figures import Spread, percentile, ratios, spread
from opsboard.bench.rounds import LATENCY_SHARE, Row
from opsboard.bench.run import Outcome, Section
from opsboard.bench.scenarios import HIT

PROMISED = 0.95  # of the bare callable's rate, for a cached hit
STEADY = 1.25  # the reference's fastest round to its slowest, on a machine with nothing else to do


def markdown(outcome: Outcome, chart: str | None = None) -> str:
    """All tables; with the picture, if there is one, where the document will find it."""
    first, *others = outcome.sections
    parts = [
        table(["", ""], ([name, fact] for name, fact in facts(outcome).items())),
        f"### {title(outcome, first)}",
        rates(first),
        unrest(first),
        f"![Ratios to the bare WSGI callable, with the spread of the rounds]({chart})" if chart else "",
        promise(first),
        f"### Latency of one connection, {plural(first.workers, 'worker')}",
        latencies(first),
    ]
    for section in others:
        parts += [f"### {title(outcome, section)}", rates(section), unrest(section)]
    parts += ["### The load generator", *(generator(section) for section in outcome.sections)]
    return "\n\n".join(filter(None, parts))


def facts(outcome: Outcome) -> dict[str, str]:
    """Where, when and on what it was measured."""
    wanted, stats = outcome.wanted, outcome.stats
    where = "private, embedded" if outcome.private else "the server of DATABASE_URL"
    data = f"the measured business has {stats['jobs']['total']:,} jobs and {stats['users']['total']} users"
    if outcome.private:
        data = f"demo data of {wanted.jobs:,} jobs in two businesses; {data}"
    return {
        "Date": machine.today(),
        "Machine": f"{machine.processor()}, {machine.memory()}",
        "System": machine.system(),
        "Versions": f"Opsboard {__version__}, {machine.versions()}",
        "Postgres": f"{outcome.postgres} ({where})",
        "Data": data,
        "Answer": f"`/api/dashboard/stats` of an admin, {outcome.answer_size:,} bytes of JSON",
        "Rounds": f"{wanted.rounds}, each row in turn for {wanted.seconds:g} s, "
        f"and for {wanted.seconds * LATENCY_SHARE:g} s for its latency",
        "Load average": f"{outcome.load_before:.1f} before, {outcome.load_after:.1f} after; "
        "the benchmark by itself makes about 2",
    }


def title(outcome: Outcome, section: Section) -> str:
    workers = plural(section.workers, "worker")
    return f"{workers} of {outcome.threads} threads, {section.connections} connections"


def rates(section: Section) -> str:
    """The table of a section: ratios first, this machine's absolute figures beside them."""
    head = [
        "",
        "÷ bare WSGI",
        "lowest to highest",
        "by processor time",
        "requests/s",
        "processor time/request",
    ]
    rows = table(head, (rate_row(row, section.reference) for row in section.rows))
    return f"{section.cores}.\n\n{rows}"


def rate_row(row: Row, reference: Row) -> list[str]:
    ratio = spread(ratios(row.rates, reference.rates))
    cells = [row.scenario.label, f"**{ratio.middle:.2f}**", between(ratio)]
    by_cpu = f"{spread(ratios(reference.cpu, row.cpu)).middle:.2f}" if row.cpu else "not known"
    cpu = f"{spread(row.cpu).middle:,.0f} µs" if row.cpu else "not known"
    return [*cells, by_cpu, f"{spread(row.rates).middle:,.0f}", cpu]


def promise(section: Section) -> str:
    """Where the cached hit stands; nothing if it was not measured."""
    for row in section.rows:
        if row.scenario is HIT:
            ratio = spread(ratios(row.rates, section.reference.rates))
            kept = "**kept**" if ratio.middle >= PROMISED else "**not kept**"
            verdict = f"{kept} by the median" if is_steady(section) else "**undecided**"
            return f"Promised for a cached hit: {PROMISED}. Measured: {ratio.middle:.2f} ({between(ratio)}): {verdict}."
    return ""


def unrest(section: Section) -> str:
    """A warning when the machine had other work: then ratios of rates say less than they seem to."""
    if is_steady(section):
        return ""
    rate = spread(section.reference.rates)
    return (
        f"**The machine was busy**: the bare callable itself made {between(rate, ',.0f')} requests/s, depending on "
        "the round. Rely on the ratios by processor time, and measure again on a quiet machine."
    )


def is_steady(section: Section) -> bool:
    rate = spread(section.reference.rates)
    return rate.high <= STEADY * rate.low


def latencies(section: Section) -> str:
    head = ["", "p50", "p95", "p99", "answers"]
    return table(head, (latency_row(row) for row in section.rows))


def latency_row(row: Row) -> list[str]:
    times = [f"{percentile(row.latencies, share) / 1e6:.2f} ms" for share in (0.50, 0.95, 0.99)]
    return [row.scenario.label, *times, f"{len(row.latencies):,}"]


def generator(section: Section) -> str:
    """Whether the figures could be the load generator's own."""
    limit, busy = spread(section.ceiling), spread(section.reference.busy)
    fastest = spread(section.reference.rates)
    return (
        f"{plural(section.workers, 'worker')}: against a server that sends the same bytes without "
        f"reading the request, the load generator makes {limit.middle:,.0f} requests/s ({between(limit, ',.0f')}), "
        f"{limit.middle / fastest.middle:.1f} times what it made against the bare WSGI callable. There it was "
        f"working {busy.middle:.0%} of the time ({between(busy, '.0%')})."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    aligned = ["---:" if name else "---" for name in head]
    lines = [head, aligned, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def between(values: Spread, form: str = ".2f") -> str:
    return f"{values.low:{form}} to {values.high:{form}}"


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
