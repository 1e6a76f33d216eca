"""From a commit to the first new answer of every busy worker, for writers through the service and beside it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from opsboard.db.session import connected
from opsboard.demo.catalogue import BUSINESSES
from opsboard.errors import CommandError
from opsboard_bench.environment import Bench
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet, one_client_each
from opsboard_bench.load.connections import Connection, HttpConnection, Watched
from opsboard_bench.results import Column, Plot, Promise, Row, Series, Table
from opsboard_bench.scenarios import STATS

P99 = 100  # ms
PATIENCE = 10.0  # seconds for one commit to be seen by all
PAUSE = 0.05  # seconds at most between two commits: they must not fall into step with the change feed
INSERT = """
INSERT INTO jobs (tenant_id, job_number, title)
SELECT t.id, %(title)s, %(title)s FROM tenants AS t WHERE t.slug = %(slug)s
"""
# Of the server's own clock, just before the transaction becomes visible: it is the same machine.
COMMITTED = """
SELECT j.title, extract(epoch FROM pg_xact_commit_timestamp(j.xmin))::float8
FROM jobs AS j
WHERE j.title LIKE %(titles)s
"""
WRITERS = ("through one worker", "through another worker", "beside the service, in Postgres")


@dataclass
class Seen:
    """When each worker's answer first had so many jobs, and answers that went back behind one before."""

    workers: int
    first: int
    at: list[dict[int, float]] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)
    backwards: int = 0
    answers: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.at = [{} for _ in range(self.workers)]
        self.latest = [self.first] * self.workers

    def note(self, worker: int, jobs: int) -> None:
        self.answers += 1
        self.backwards += jobs < self.latest[worker]
        if jobs > self.latest[worker]:
            self.at[worker][jobs - self.first] = time.time()
            self.latest[worker] = jobs

    def wait(self, number: int) -> None:
        """Until every worker has shown this commit."""
        deadline = time.monotonic() + PATIENCE
        while not all(number in at for at in self.at):
            if time.monotonic() > deadline:
                raise CommandError(
                    f"After {PATIENCE:.0f} s a worker still gave the number from before a commit."
                )
            time.sleep(0.001)


@dataclass(frozen=True)
class Asked:
    """An answer that counts the jobs, and the titles of those made while it is watched."""

    words: str
    path: str
    commit: str
    member: tuple[str, ...]

    def total(self, body: bytes) -> int:
        found = json.loads(body)
        for name in self.member:
            found = found[name]
        number: int = found
        return number


ASKED = (
    Asked("Numbers", STATS, "commit", ("jobs", "total")),
    Asked("A list", "/api/jobs?sort=-created_at&page_size=20", "commit of a list", ("total",)),
)


@dataclass(frozen=True)
class Watching:
    """Observations; `lags`: milliseconds for each commit and worker."""

    lags: list[list[float]]
    seen: Seen

    @property
    def every(self) -> list[float]:
        return [lag for of in self.lags for lag in of]

    @property
    def by_writer(self) -> dict[str, list[float]]:
        return {
            words: [
                lag for number, of in enumerate(self.lags, 1) if number % len(WRITERS) == place for lag in of
            ]
            for place, words in enumerate(WRITERS)
        }


def measure(bench: Bench) -> list[Table]:
    with fleet(bench, "freshness") as service:
        found = {asked: watch(bench, service, asked) for asked in ASKED}
    return [table(found)]


def watch(bench: Bench, service: Fleet, asked: Asked) -> Watching:
    """Commit one job after the other while every worker is asked for the same all the time."""
    bench.report(f"freshness: {bench.options.commits} commits, {asked.words}")
    with one_client_each(service) as clients:
        first = asked.total(clients[0].ask(service.request(asked.path)).body)
        seen = Seen(len(clients), first)
        asking = threading.Thread(target=ask_all, args=(service, clients, seen, asked), daemon=True)
        asking.start()
        try:
            commits = write(service, bench.options.commits, seen, asked)
        finally:
            seen.over.set()
            asking.join(PATIENCE)
    lags = [
        [(at[number] - committed) * 1000 for at in seen.at] for number, committed in sorted(commits.items())
    ]
    return Watching(lags, seen)


def ask_all(service: Fleet, clients: list[HttpConnection], seen: Seen, asked: Asked) -> None:
    """Ask every worker again as soon as it has answered."""
    watched = Watched()
    request = service.request(asked.path)
    numbers: dict[Connection, int] = {}
    for number, client in enumerate(clients):
        connection = client.connection
        connection.request = request
        connection.watch(watched)
        numbers[connection] = number
        connection.send()
    while not seen.over.is_set():
        for connection in watched.ready():
            if (answer := connection.receive()) is not None:
                seen.note(numbers[connection], asked.total(answer.body))
                connection.send()


def write(service: Fleet, commits: int, seen: Seen, asked: Asked) -> dict[int, float]:
    """One job at a time, by each writer in turn; when each was committed."""
    with (
        one_client_each(service) as clients,
        connected(service.environment.superuser_url, "bench") as connection,
    ):
        cursor = connection.cursor()
        writers: list[Callable[[str], object]] = [
            partial(through, service, clients[0]),
            partial(through, service, clients[-1]),
            lambda title: cursor.execute(INSERT, {"title": title, "slug": BUSINESSES[0].slug}),
        ]
        for number in range(1, commits + 1):
            writers[number % len(writers)](f"{asked.commit} {number}")
            seen.wait(number)
            time.sleep(random.uniform(0, PAUSE))
        cursor.execute(COMMITTED, {"titles": f"{asked.commit} %"})
        return {int(title.split()[-1]): float(at) for title, at in cursor.fetchall()}


def through(service: Fleet, client: HttpConnection, title: str) -> None:
    answer = client.ask(service.request("/api/jobs", "POST", {"title": title}))
    if answer.status != 201:
        raise CommandError(f"A job cannot be made: {answer.status} {answer.body[:200]!r}")


def table(found: dict[Asked, Watching]) -> Table:
    rows, promises = [], []
    for asked, watching in found.items():
        rows += [
            row(f"{asked.words}, commit {words}", lags) for words, lags in watching.by_writer.items() if lags
        ]
        rows.append(row(f"{asked.words}, all", watching.every))
        p99 = percentile(watching.every, 0.99)
        promises.append(
            Promise(
                f"Commit until every worker's next answer is new, {asked.words.lower()}, p99",
                P99, [p99], at_least=False, unit="ms",
            )
        )  # fmt: skip
    numbers = found[ASKED[0]]
    answers = sum(watching.seen.answers for watching in found.values())
    return Table(
        name="freshness",
        title="Freshness",
        about=f"From a commit to the first new answer of each of {numbers.seen.workers} workers, which are asked "
        f"all the time on a connection each, for the dashboard's numbers and for a list ({answers:,} answers in all). "
        "The moment of the commit is Postgres's own, before the commit reaches the disk.",
        columns=[
            Column("lags", "answers awaited", ",.0f"),
            Column("p50", "p50", ",.0f", "ms"),
            Column("p99", "p99", ",.0f", "ms"),
            Column("max", "max", ",.0f", "ms"),
            Column("ratio", "p99 ÷ p50", ",.1f"),
        ],
        rows=rows,
        promises=[
            *promises,
            Promise(
                "Answers older than one the same worker gave before",
                0,
                [sum(watching.seen.backwards for watching in found.values())],
                at_least=False,
            ),
        ],
        plots=[plot({**numbers.by_writer, "all": numbers.every})],
    )  # fmt: skip


def row(label: str, lags: list[float]) -> Row:
    p50, p99 = percentile(lags, 0.5), percentile(lags, 0.99)
    values: dict[str, list[float]] = {
        "lags": [len(lags)],
        "p50": [p50],
        "p99": [p99],
        "max": [max(lags)],
        "ratio": [p99 / p50],
    }
    return Row(label, values, ours=True)


def plot(by_writer: dict[str, list[float]]) -> Plot:
    """How many of all are new after so many milliseconds."""
    lines = []
    for words, lags in by_writer.items():
        shares = [step / 100 for step in range(1, 101)]
        lines.append(
            Series(
                words, [percentile(lags, share) for share in shares], [share * 100 for share in shares],
                ours=words == "all",
            )
        )  # fmt: skip
    return Plot(
        "freshness", "lines", "From a commit to the first new answer", "milliseconds since the commit",
        "% of answers that are new", lines, P99,
    )  # fmt: skip
