"""A small business in CSV files, the mapping of them, and a database to import them into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from opsboard.imports.faults import Fault, ImportRejected
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import Summary, run_import
from tests.clusters import FreshDatabase

MAPPING = """
[files.orders]
path = "orders.txt"
delimiter = "\\t"
quote = ""
columns = ["No", "Article", "Pieces", "Client", "Begun", "Ended", "Due"]

[files.operations]
path = "operations.csv"
delimiter = ";"

[files.articles]
path = "articles.csv"

[files.clients]
path = "clients.csv"

[tables.customers]
file = "clients"
external_id = "{ClientNo}"
[tables.customers.columns]
name = "{Name}"
email = "{Mail}"
address = { parts = ["{Street}", "{Town}"], join = ", " }

[tables.processes]
file = "operations"
external_id = "{Centre}"
distinct = true
[tables.processes.columns]
name = "At {Centre}"

[tables.jobs]
file = "orders"
external_id = "{No}"
stages = [
    { status = "draft" },
    { status = "active", since = "started_at" },
    { status = "completed", since = "completed_at" },
]
[tables.jobs.lookups.article]
file = "articles"
key = "Code"
equals = "{Article}"
[tables.jobs.parents]
customer = "{Client}"
[tables.jobs.columns]
job_number = "J-{No}"
title = "{article.Name} x {Pieces}"
quantity = "{Pieces}"
started_at = "{Begun}"
completed_at = "{Ended}"
due_date = "{Due}"

[tables.job_steps]
file = "operations"
external_id = "{Order}-{Step}"
stages = [
    { status = "pending" },
    { status = "completed", since = "completed_at" },
]
[tables.job_steps.lookups.order]
file = "orders"
key = "No"
equals = "{Order}"
optional = true
[tables.job_steps.parents]
job = "{Order}"
process = "{Centre}"
[tables.job_steps.columns]
step_order = "{Step}"
completed_at = "{Done}"
quantity_done = { value = "{order.Pieces}", default = "0", when_status = ["completed"], until_then = "0" }
"""

CLIENTS = """ClientNo,Name,Mail,Street,Town
C1,"Fox, Ltd",fox@example.com,1 Hill,Ayr
C2,"The ""Old"" Mill",,"Mill
Lane",
"""
ARTICLES = "Code,Name\nA,Axle\nB,Bolt\n"
ORDERS = (
    "1\tA\t10\tC1\t2024-03-01\t2024-03-05\t2024-03-04\n"
    "2\tB\t20\tC2\t2024-03-03\t2024-03-09\t2024-03-10\n"
    "3\tA\t30\t\t2024-03-20\t\t\n"
)
OPERATIONS = "Order;Step;Centre;Done\n1;1;saw;2024-03-02\n1;2;mill;2024-03-05\n2;1;saw;2024-03-08\n"

FILES = {
    "clients.csv": CLIENTS,
    "articles.csv": ARTICLES,
    "orders.txt": ORDERS,
    "operations.csv": OPERATIONS,
}


@dataclass(frozen=True)
class Workshop:
    """A database with the business "mill" in it, and a folder of its files."""

    database: FreshDatabase
    folder: Path
    mapping: str = MAPPING

    def write(self, **changed: str | bytes) -> None:
        """Write the files anew, those in `changed` (by the name before the dot) with another content."""
        for name, text in FILES.items():
            content = changed.get(name.partition(".")[0], text)
            (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, as_of: str | None = None, **options: Any) -> Summary:
        """Import the folder."""
        options = {"tenant_slug": "mill", "report": self.report, **options}
        day = dt.date.fromisoformat(as_of) if as_of else None
        mapping = parse_mapping(self.mapping)
        return run_import(self.database.app_url, self.folder, mapping, as_of=day, **options)

    def faults(self, **options: Any) -> list[Fault]:
        """Import the folder, which must be refused and leave nothing; what is wrong with it."""
        before = self.counts()
        with pytest.raises(ImportRejected) as refused:
            self.run(**options)
        assert self.counts() == before
        return refused.value.rejection.first

    def wrong(self, **changed: str | bytes) -> list[tuple[str, int, str]]:
        """File, line and column of everything that is wrong with these contents."""
        self.write(**changed)
        return [(fault.file, fault.line, fault.column) for fault in self.faults()]

    @property
    def report(self) -> Path:
        return self.folder.parent / "errors.csv"

    def rows(
        self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of all owners."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with closing(psycopg2.connect(self.database.superuser_url)) as connection:
            connection.autocommit = True
            yield connection

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = ("customers", "users", "processes", "machines", "jobs", "job_steps", "audit_logs")
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    def add_tenant(self, slug: str, time_zone: str = "UTC") -> int:
        insert = "INSERT INTO tenants (slug, name, time_zone) VALUES (%s, %s, %s) RETURNING id"
        return int(self.rows(insert, (slug, slug, time_zone))[0][0])
