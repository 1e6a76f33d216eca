"""Measures the cost of triggers for writers: the same tables with and without them."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsboard.db.postgres_programs import embedded_bindir
from opsboard.db.session import Cursor, connected
from opsboard.errors import CommandError
from opsboard_bench.environment import Bench, Environment, with_demo_data
from opsboard_bench.figures import ratios, spread
from opsboard_bench.processors import tree_seconds
from opsboard_bench.results import Column, Plot, Promise, Row, Series, Table
from opsboard_bench.statements import BULK, SINGLE

KEPT, FACTOR = 0.8, 1.5
FOLD_EVERY = 0.5  # seconds; as the workers do
COUNTING = """
SELECT format('DROP TRIGGER %I ON %I', g.tgname, c.relname), pg_get_triggerdef(g.oid)
FROM pg_trigger AS g
JOIN pg_class AS c ON c.oid = g.tgrelid
JOIN pg_proc AS p ON p.oid = g.tgfoid
WHERE NOT g.tgisinternal
    AND g.tgparentid = 0
    AND (p.proname LIKE 'count\\_%' OR p.proname LIKE 'note\\_%')
    AND g.tgname NOT LIKE '%\\_count\\_days'
"""
TPS = re.compile(r"tps = ([\d.]+)")
DONE = re.compile(r"transactions actually processed: (\d+)")


def measure(bench: Bench) -> list[Table]:
    with (
        with_demo_data(bench, "writes") as environment,
        connected(environment.superuser_url, "bench") as connection,
    ):
        cursor = connection.cursor()
        cursor.execute(COUNTING)
        triggers = Triggers(cursor, cursor.fetchall())
        singles, bulks = (
            single_rows(bench, environment, triggers),
            bulk_statements(bench, environment, triggers),
        )
        wrong = differences(cursor, triggers)
    return [single_table(bench, singles), bulk_table(bench, bulks, wrong)]


class Triggers:
    """Those of every table, to be taken away and made again; the tables and all else stay as they are.

    Not disabled: for a disabled trigger Postgres still keeps the rows a statement changes, close to half of its price.
    """

    def __init__(self, cursor: Cursor, found: list[tuple[str, str]]) -> None:
        self._cursor, self._found, self._there = cursor, found, True

    def switch(self, on: bool) -> None:
        if on != self._there:
            for drop, create in self._found:
                self._cursor.execute(create if on else drop)
            self._there = on
        for tidy in ("SELECT fold_rollups()", "SELECT fold_words(1000000)", "VACUUM", "CHECKPOINT"):
            self._cursor.execute(tidy)


def single_rows(
    bench: Bench, environment: Environment, triggers: Triggers
) -> dict[str, dict[str, list[float]]]:
    """Of each script: transactions a second and processor time of Postgres for each, off and on."""
    found = {name: {key: list[float]() for key in ("off", "on", "cpu_off", "cpu_on")} for name in SINGLE}
    for number in range(1, bench.options.rounds + 1):
        bench.report(f"writes, single rows: round {number} of {bench.options.rounds}")
        for on in order(number):
            triggers.switch(on)
            with folding(environment):
                for name, script in SINGLE.items():
                    rate, cpu = pgbench(bench, environment, script)
                    found[name]["on" if on else "off"].append(rate)
                    found[name]["cpu_on" if on else "cpu_off"].append(cpu)
    return found


def bulk_statements(
    bench: Bench, environment: Environment, triggers: Triggers
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each statement, the first of its session; what it did is undone before the next."""
    found = {name: {"off": list[float](), "on": list[float]()} for name in BULK}
    for number in range(1, bench.options.rounds + 1):
        bench.report(f"writes, bulk: round {number} of {bench.options.rounds}")
        for on in order(number):
            triggers.switch(on)
            for name, statement in BULK.items():
                took = bulk(environment, statement, bench.options.bulk)
                found[name]["on" if on else "off"].append(took)
    return found


def order(number: int) -> tuple[bool, bool]:
    """Return the order of a round; it changes with each round."""
    return (True, False) if number % 2 else (False, True)


def pgbench(bench: Bench, environment: Environment, script: str) -> tuple[float, float]:
    """Transactions a second as the role of the service, and microseconds of Postgres's processor time for each."""
    options, path = bench.options, Path(environment.folder, "script.pgbench")
    path.write_text(script.replace(":jobs", str(max(1, int(options.jobs * 0.55)))), encoding="utf-8")
    postmaster = environment.cluster.pid or 0
    before = tree_seconds(postmaster)
    done = subprocess.run(
        [str(embedded_bindir() / "pgbench"), "-n", "-M", "simple", "-c", str(options.clients), "-j", "2",
         "-T", str(max(1, round(options.seconds))), "-f", str(path), environment.url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    tps, number = TPS.search(done.stdout), DONE.search(done.stdout)
    if done.returncode != 0 or not tps or not number:
        raise CommandError(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return float(tps[1]), (tree_seconds(postmaster) - before) / int(number[1]) * 1e6


def bulk(environment: Environment, statement: str, rows: int) -> float:
    with connected(environment.superuser_url, "bench") as connection:
        connection.autocommit = False
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('app.tenant_id', '1', false)")
        connection.commit()
        began = time.perf_counter()
        cursor.execute(statement, {"rows": rows})
        took = (time.perf_counter() - began) * 1000
        connection.rollback()
    return took


@contextmanager
def folding(environment: Environment) -> Iterator[None]:
    """Fold counts beside the writers, as workers do."""
    over = threading.Event()

    def fold() -> None:
        with connected(environment.url, "bench") as connection:
            while not over.wait(FOLD_EVERY):
                connection.cursor().execute("SELECT fold_rollups()")
                connection.cursor().execute("SELECT fold_words()")

    thread = threading.Thread(target=fold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def differences(cursor: Cursor, triggers: Triggers) -> int:
    """Return the wrong counts and words after one rebuild, which the phases without triggers require."""
    triggers.switch(on=True)
    cursor.execute("SELECT rebuild_rollups(t.id), rebuild_words(t.id), fold_words(1000000) FROM tenants AS t")
    cursor.execute("UPDATE jobs SET status = 'active' WHERE tenant_id = 1 AND id <= 500 AND status = 'draft'")
    wrong = 0
    for found in ("rollup_differences", "word_differences"):
        cursor.execute(f"SELECT count(*) FROM tenants AS t CROSS JOIN LATERAL {found}(t.id) AS d")
        row = cursor.fetchone()
        wrong += int(row[0]) if row else 0
    return wrong


def single_table(bench: Bench, found: dict[str, dict[str, list[float]]]) -> Table:
    options = bench.options
    rows, promises, bars = [], [], []
    for name, of in found.items():
        kept = ratios(of["on"], of["off"])
        rows.append(
            Row(
                name,
                {
                    "kept": kept,
                    "by_cpu": ratios(of["cpu_off"], of["cpu_on"]),
                    "off": of["off"],
                    "on": of["on"],
                },
                ours=True,
            )
        )
        promises.append(Promise(f"Writers' rate kept, {name}", KEPT, kept, doubt="the machine was busy"))
        middle = spread(kept)
        bars.append(Series(name, [middle.middle], [0.0], [middle.low], [middle.high], ours=True))
    return Table(
        name="writes",
        title=f"Writers of single rows, {options.clients} clients",
        about=f"pgbench, each transaction one statement for one row of a business with {options.jobs:,} jobs "
        "around, with the triggers that note changes, keep counts and note whose words are to be written, and "
        "with them taken away, on the same tables in turn. Changes are folded every half a second meanwhile, "
        "as in service. Processor time is all of Postgres's.",
        columns=[
            Column("kept", "rate with ÷ without", spread=True, strong=True),
            Column("by_cpu", "by processor time"),
            Column("off", "without", ",.0f", "/s"),
            Column("on", "with", ",.0f", "/s"),
        ],
        rows=rows,
        promises=promises,
        plots=[Plot("writes", "bars", "Writers of single rows", "rate with triggers ÷ without", "", bars, KEPT)],
    )  # fmt: skip


def bulk_table(bench: Bench, found: dict[str, dict[str, list[float]]], wrong: int) -> Table:
    rows = [Row(name, {**of, "factor": ratios(of["on"], of["off"])}, ours=True) for name, of in found.items()]
    return Table(
        name="bulk",
        title=f"Statements of {bench.options.bulk:,} rows",
        about="The time of one statement, the first of its session, rolled back afterwards, "
        "with the triggers and with them taken away.",
        columns=[
            Column("factor", "time with ÷ without", spread=True, strong=True),
            Column("off", "without", ",.0f", "ms"),
            Column("on", "with", ",.0f", "ms"),
        ],
        rows=rows,
        notes=[f"Counts and words that were wrong afterwards: {wrong}."],
        promises=[
            Promise(
                f"Time of a bulk statement, {row.label}", FACTOR, row.values["factor"], at_least=False,
                doubt="the machine was busy",
            )
            for row in rows
        ],
    )  # fmt: skip
