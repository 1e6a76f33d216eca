"""Search in a large business of made-up words: `python -m tests.search_figures docs/performance.md` measures it."""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

from opsboard.db.prepared import limits_of, statement
from opsboard.db.queries import load_queries
from opsboard.features.search.routes import MOST_READ
from tests.clusters import FreshDatabase, cluster_folder, fresh_database, migrate_template, running_cluster
from tests.contract.plans import nodes
from tests.marked import with_part

BEGIN, END = "<!-- search:begin -->\n", "<!-- search:end -->\n"
JOBS, CUSTOMERS = 1_000_000, 100_000
EACH = 40  # searches of a kind
VOCABULARY = 20_000
SLUG = "large-search"
# Of no language: nobody has chosen an index, a limit or a word list for what is made of them.
SYLLABLES = [
    "ka", "lo", "mé", "tři", "šu", "ñan", "vör", "ge", "łub", "ção", "ış", "ğen", "håm", "ræk", "søl", "bü",
    "dát", "něk", "pi", "zor", "the", "quo", "xy", "wen", "αβ", "δελ", "жур", "мир", "ван", "ри", "sta",
    "blo", "kre", "phi", "dru", "osk", "ant", "ell", "imp", "urd",
]  # fmt: skip


class Content(NamedTuple):
    """What a business has, to search for."""

    words: list[str]  # the first ones are in many records
    titles: list[str]
    names: list[str]
    phones: list[str]


class Figure(NamedTuple):
    """The searches of one kind, a value for each: rows read and thrown away, and times."""

    kind: str
    found: list[bool]
    read: list[int]
    in_vain: list[int]
    processor: list[float]  # milliseconds in which the session of the server had a processor
    passed: list[float]  # milliseconds until the answer came


def make_up(jobs: int, customers: int) -> Content:
    """Titles, names and telephone numbers of random words, some of which are in very many records."""
    chance = random.Random(14)
    made = ("".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 4)))) for _ in range(VOCABULARY))
    words = list(dict.fromkeys(made))

    def some(number: int) -> str:
        return " ".join(words[int(len(words) * chance.random() ** 4)] for _ in range(number))

    return Content(
        words,
        [f"{some(4)} {chance.choice('MXØ')}{chance.randrange(1, 400)}" for _ in range(jobs)],
        [some(2).title() for _ in range(customers)],
        [f"+{chance.randrange(30, 60)} {chance.randrange(10**8, 10**10)}" for _ in range(customers)],
    )


def store(database: FreshDatabase, content: Content) -> int:
    """Store a business with this content and its words; returns its id."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO tenants (slug, name) VALUES (%s, 'Large') RETURNING id", (SLUG,))
        ((tenant,),) = cursor.fetchall()
        cursor.execute("SET session_replication_role = replica")  # words are written below, all at once
        customers = ((tenant, *row) for row in zip(content.names, content.phones, strict=True))
        copy(cursor, "customers (tenant_id, name, phone)", customers)
        jobs = ((tenant, f"J-{number:07}", title) for number, title in enumerate(content.titles, 1))
        copy(cursor, "jobs (tenant_id, job_number, title)", jobs)
        cursor.execute("SET session_replication_role = origin")
        connection.commit()
        connection.autocommit = True
        cursor.execute("CALL fill_search_words()")
        # As autovacuum does in a service.
        cursor.execute("VACUUM ANALYZE jobs, customers, search_words, search_pending")
    return int(tenant)


def copy(cursor: Any, target: str, rows: Iterator[tuple[object, ...]]) -> None:
    text = StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
    cursor.copy_expert(f"COPY {target} FROM STDIN", text)


def searches_of(content: Content) -> dict[str, Callable[[random.Random], str]]:
    """Kind -> a search of it, drawn at random."""
    words = content.words

    def of_one_record(chance: random.Random, number: int) -> str:
        return " ".join(chance.sample(chance.choice(content.titles).split()[:4], number))

    return {
        "a word of a record": lambda chance: of_one_record(chance, 1),
        "one of the hundred most common words": lambda chance: chance.choice(words[:100]),
        "a rare word": lambda chance: chance.choice(words[len(words) // 2 :]),
        "the first two letters of a word": lambda chance: chance.choice(words)[:2],
        "the first four letters of a word": lambda chance: chance.choice(words)[:4],
        "two words of a record, in any order": lambda chance: of_one_record(chance, 2),
        "three words of a record, in any order": lambda chance: of_one_record(chance, 3),
        "two common words": lambda chance: " ".join(chance.sample(words[:100], 2)),
        "two words at random": lambda chance: " ".join(chance.sample(words, 2)),
        "a job number without prefix and zeros": lambda chance: str(
            chance.randrange(len(content.titles)) + 1
        ),
        "the last six digits of a phone number": lambda chance: chance.choice(content.phones)[-6:],
        "a word that no record has": lambda chance: f"{chance.choice(words)}qqq",
    }


def measure(database: FreshDatabase, tenant: int, content: Content, each: int = EACH) -> list[Figure]:
    """Run the searches as the service does: one prepared statement of a session under row security."""
    (query,) = load_queries("opsboard.features.search")
    fixed = {"tenant_id": tenant, "role": "admin", "limit": 5, "most_read": MOST_READ}
    prepared = statement("search", query.sql, limits_of(query.sql, {**fixed, "q": ""}))
    figures = []
    with closing(psycopg2.connect(database.app_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant),))
        cursor.execute(prepared.prepare, {**fixed, "q": ""})
        for kind, draw in searches_of(content).items():
            chance = random.Random(kind)
            figure = Figure(kind, [], [], [], [], [])
            for _ in range(each):
                params = {**fixed, "q": draw(chance)}
                began, used = time.perf_counter(), processor_time(connection.info.backend_pid)
                cursor.execute(prepared.execute, params)
                ((document,),) = cursor.fetchall()
                figure.passed.append((time.perf_counter() - began) * 1e3)
                figure.processor.append((processor_time(connection.info.backend_pid) - used) / 1e6)
                figure.found.append('"title"' in str(document))
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {prepared.execute}", params)
                ((explained,),) = cursor.fetchall()
                read, in_vain = rows_of(explained[0]["Plan"])
                figure.read.append(read)
                figure.in_vain.append(in_vain)
            figures.append(figure)
            print(line(figure), flush=True)
    return figures


def processor_time(pid: int) -> int:
    """Nanoseconds in which a process has run; other programs of the machine are not in them."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def rows_of(plan: dict[str, Any]) -> tuple[int, int]:
    """The rows a plan read from search_words, and the rows that its scans of any table threw away."""
    read = removed = 0
    for node in nodes(plan):
        if "Relation Name" not in node:
            continue
        gone = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        removed += int(gone * node["Actual Loops"])
        if node["Relation Name"] == "search_words":
            read += int((node["Actual Rows"] + gone) * node["Actual Loops"])
    return read, removed


def line(figure: Figure) -> str:
    middle = statistics.median
    return (
        f"| {figure.kind} | {sum(figure.found)} of {len(figure.found)} | {middle(figure.read):,.0f} "
        f"| {max(figure.read):,} | {max(figure.in_vain):,} | {middle(figure.processor):.1f} ms "
        f"| {max(figure.processor):.1f} ms | {middle(figure.passed):.1f} ms |"
    )


def table(figures: list[Figure]) -> str:
    heads = (
        "| search for | with results | rows read | at most | thrown away | processor time | at most | time |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([heads, *map(line, figures), ""])


def with_table(document: str, figures: list[Figure]) -> str:
    """The document with the table between its marks."""
    return with_part(document, BEGIN, END, table(figures))


@contextmanager
def own_database() -> Iterator[FreshDatabase]:
    """On a server of its own, on the disk that TMPDIR names."""
    os.environ.setdefault("TMPDIR", "/var/tmp")
    with (
        cluster_folder() as place,
        running_cluster(place / "search") as cluster,
        fresh_database(cluster, migrate_template(cluster)) as database,
    ):
        yield database


if __name__ == "__main__":
    document = Path(sys.argv[1])
    with own_database() as database:
        content = make_up(JOBS, CUSTOMERS)
        figures = measure(database, store(database, content), content)
    document.write_text(with_table(document.read_text(encoding="utf-8"), figures), encoding="utf-8")
