"""Each endpoint that reports give a figure for, beside the way before that they compare with."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from opsboard.db import tenancy
from opsboard.db.addresses import APPLICATION
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.prepared import limits_of, statement
from opsboard.db.session import connected
from opsboard.errors import CommandError
from opsboard_bench.businesses import make_business
from opsboard_bench.endpoint_rows import fill, tidy
from opsboard_bench.endpoint_ways import Before, Endpoint
from opsboard_bench.endpoints import ENDPOINTS
from opsboard_bench.endpoints_table import Measured, endpoints_table
from opsboard_bench.environment import Bench, server
from opsboard_bench.load.answers import Answer
from opsboard_bench.load.connections import HttpConnection
from opsboard_bench.measures.sizes import service
from opsboard_bench.one_url import header
from opsboard_bench.reads import CALLS, CUSTOM_PLANS, ENOUGH, IDENTITY
from opsboard_bench.results import Table
from opsboard_bench.session import request_token

DATABASE = "endpoints"
ANSWERS = 10  # over HTTP, of one endpoint in one round
DROP = """
DO $$
BEGIN
    EXECUTE coalesce(
        (
            SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname)
            FROM pg_constraint AS c
            WHERE c.conindid = %(name)s::regclass
        ),
        format('DROP INDEX %%I', %(name)s)
    );
END
$$
"""


def measure(bench: Bench) -> list[Table]:
    return [of_size(bench, rows) for rows in bench.options.rows]


def of_size(bench: Bench, rows: int) -> Table:
    name = f"endpoints-{rows}"
    with server(bench, name, {"max_wal_size": "32GB", "shared_buffers": "3GB"}) as cluster:
        began = time.monotonic()
        make_business(cluster, DATABASE, rows, bench.report, steps_of=1, fill=partial(fill, rows=rows))
        with connected(cluster.url(SUPERUSER, DATABASE), "bench") as connection:
            tidy(connection.cursor())
        bench.report(f"{name}: {rows:,} rows made in {time.monotonic() - began:.0f} s")
        measured = {one.label: Measured(one) for one in ENDPOINTS}
        in_postgres(bench, cluster, name, measured)
        with service(bench, cluster.url(APPLICATION, DATABASE), f"service-{name}") as one:
            over_http(bench, one.address, measured)
    return endpoints_table(name, rows, list(measured.values()))


def in_postgres(bench: Bench, cluster: Cluster, name: str, measured: dict[str, Measured]) -> None:
    """Times of our statement and of the way before, in turns; statements and memory of one answer of each."""
    with connected(cluster.url(SUPERUSER, DATABASE), "bench") as connection:
        for one in measured.values():
            with answering(connection, one.endpoint, OURS) as way:
                one.statements, one.memory, _ = way.counted()
                one.shape = shape(next(iter(way.rows(way.statements[0], {})[0].values())))
            with answering(connection, one.endpoint, one.endpoint.before) as way:
                one.statements_before, one.memory_before, one.bytes_before = way.counted()
        for number in range(1, bench.options.rounds + 1):
            bench.report(f"{name}: round {number} of {bench.options.rounds}")
            for one in measured.values():
                # A slow one has fewer rounds, never none.
                if sum(one.times + one.times_before) / 1000 > bench.options.patience:
                    continue
                with answering(connection, one.endpoint, OURS) as way:
                    one.times.append(way.timed())
                with answering(connection, one.endpoint, one.endpoint.before) as way:
                    one.times_before.append(way.timed())


# The service's statement, in the form of a former way.
OURS = Before("")


class Way:
    """A way to answer, in a transaction that is rolled back: the role and the business of the service.

    The service's own statement is prepared, as the service sends it, with its indexes and without them.
    """

    def __init__(self, cursor: Any, endpoint: Endpoint, before: Before) -> None:
        self.cursor = cursor
        self.each = before.each
        self.values = {**endpoint.statement()[1], **IDENTITY}
        self.writes = endpoint.body is not None
        self.statements = before.statements
        if not self.statements:
            self._prepare(endpoint.statement()[0])
        self.sent = 0

    def _prepare(self, sql: str) -> None:
        """Prepare it on this connection, and run it as often as Postgres makes a plan of its own for each run."""
        known = statement("bench", sql, limits_of(sql, self.values))
        self.cursor.execute(f"DEALLOCATE ALL; {known.prepare}", self.values)
        self.statements = (tenancy.bound("bench", known.execute),)
        self.sent = 0
        for _ in range(CUSTOM_PLANS + 1):
            self.ask()

    def rows(self, statement: str, more: dict[str, Any]) -> list[dict[str, Any]]:
        self.sent += 1
        self.cursor.execute(statement, {**self.values, **more})
        names = [column.name for column in self.cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def answer(self) -> str:
        """Send the statements and write what they gave as JSON."""
        found = [self.rows(statement, {}) for statement in self.statements]
        for row in found[0] if self.each else []:
            found += [self.rows(statement, row) for statement in self.each]
        return json.dumps(found, default=str)

    def ask(self) -> float:
        """Seconds of one answer; what it wrote is undone."""
        if self.writes:
            self.cursor.execute("SAVEPOINT bench")
        began = time.perf_counter()
        self.answer()
        seconds = time.perf_counter() - began
        if self.writes:
            self.cursor.execute("ROLLBACK TO SAVEPOINT bench")
        return seconds

    def timed(self) -> float:
        """Milliseconds of an answer, the median of some."""
        taken: list[float] = []
        while not taken or (len(taken) < CALLS and sum(taken) < ENOUGH):
            taken.append(self.ask())
        return median(taken) * 1000

    def counted(self) -> tuple[int, int, int]:
        """Statements of one answer, the most bytes that Python allocated for it, and its bytes."""
        tracemalloc.start()
        try:
            size = len(self.answer())
            return self.sent, tracemalloc.get_traced_memory()[1], size
        finally:
            tracemalloc.stop()


@contextmanager
def answering(connection: Any, endpoint: Endpoint, before: Before) -> Iterator[Way]:
    """A way in its transaction, without the indexes that it does not have."""
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            for name in before.drops:
                cursor.execute(DROP, {"name": name})
            cursor.execute("SET LOCAL ROLE opsboard_app; SELECT set_config('app.tenant_id', '1', true)")
            yield Way(cursor, endpoint, before)
    finally:
        connection.rollback()
        connection.autocommit = True


def over_http(bench: Bench, address: str, measured: dict[str, Measured]) -> None:
    """The whole answer with the cache off: its bytes, and times of a round each."""
    token = request_token(address)
    with HttpConnection(address) as connection:
        for one in measured.values():
            endpoint = one.endpoint
            plain = answer(connection, endpoint, token, endpoint.address())
            one.statements = max(one.statements, int(header(plain, b"x-queries")))
            one.bytes = len(plain.body)
            if endpoint.body is not None:
                continue
            if shape(plain.body) != one.shape:
                raise CommandError(
                    f"{endpoint.label}: the service answers otherwise than the statement measured."
                )
            packed = answer(connection, endpoint, token, endpoint.address(), "Accept-Encoding: gzip\r\n")
            one.gzip = len(packed.body)
            if endpoint.fields:
                one.fields = len(
                    answer(connection, endpoint, token, endpoint.address(fields=endpoint.fields)).body
                )
        for _ in range(bench.options.rounds):
            for one in measured.values():
                if one.endpoint.body is None:
                    one.answers.append(median(timed(connection, one.endpoint, token) for _ in range(ANSWERS)))


def shape(body: str | bytes) -> list[Any]:
    """The ids of a list in their order, or the members of anything else: what is the same in two answers."""
    document = json.loads(body)
    return [item["id"] for item in document["items"]] if "items" in document else sorted(document)


def timed(connection: HttpConnection, endpoint: Endpoint, token: str) -> float:
    """Milliseconds of an answer."""
    began = time.perf_counter()
    answer(connection, endpoint, token, endpoint.address())
    return (time.perf_counter() - began) * 1000


def answer(connection: HttpConnection, endpoint: Endpoint, token: str, path: str, more: str = "") -> Answer:
    """Raises CommandError for an answer that is no success."""
    body = b"" if endpoint.body is None else json.dumps(endpoint.body).encode()
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {token}\r\n{more}"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    found = connection.ask(head.encode("latin-1") + b"\r\n" + body)
    if found.status != 200:
        raise CommandError(f"{path}: answered {found.status}: {found.body[:200]!r}")
    return found
