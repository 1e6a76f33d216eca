"""The drills of docs/operations.md on a large business: `python -m tests.drills docs/operations.md` runs them there."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import psycopg2
from click.testing import CliRunner

from opsboard.cli import opsboard
from opsboard.commands.backup_programs import LEFT_OUT
from opsboard.imports.business_export import CHECKSUMS, FURTHER, MAPPING, export_business
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.progress import Progress
from opsboard.imports.run import run_import
from tests.clusters import FreshDatabase, cluster_folder, running_cluster
from tests.marked import with_part

BEGIN, END = "<!-- drills:begin -->\n", "<!-- drills:end -->\n"
JOBS = 1_000_000
# Columns that a restore changes: sign-ins and open links end, and deltas become old ones.
CHANGED = {("users", "token_version"), ("password_links", "revoked_at"), ("rollup_deltas", "xid")}
COLUMNS = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attname)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
LARGEST = """
SELECT t.slug, count(*) FROM tenants AS t JOIN jobs AS j ON j.tenant_id = t.id GROUP BY t.slug ORDER BY 2 DESC LIMIT 1
"""


class Figure(NamedTuple):
    """A line of the table."""

    drill: str
    result: str
    seconds: float


def checksums(url: str) -> dict[str, tuple[int, str]]:
    """Of each table of a backup: its number of rows, and a checksum of all of them, whatever their order."""
    found = {}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for table, columns in cursor.fetchall():
            if table in LEFT_OUT:
                continue
            names = ", ".join(f't."{name}"' for name in columns if (table, name) not in CHANGED)
            row = f"('x' || left(md5(row({names})::text), 15))::bit(60)::bigint"
            cursor.execute(f'SELECT count(*), coalesce(sum({row}), 0)::text FROM "{table}" AS t')
            found[table] = cursor.fetchall()[0]
    return found


def file_checksums(folder: Path) -> dict[str, str]:
    """File of an export -> its checksum; without the audit, to which an import adds a row, and what no import takes."""
    lines = (line.split("  ") for line in (folder / CHECKSUMS).read_text().splitlines())
    files = {path: digest for digest, path in lines}
    return {
        path: digest for path, digest in files.items() if FURTHER not in path and path != "audit_logs.jsonl"
    }


class Drills:
    """Runs the drills of a database one after the other and keeps how long each took."""

    def __init__(self, database: FreshDatabase, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.figures: list[Figure] = []

    def timed(self, drill: str, run: Callable[[], str]) -> None:
        began = time.monotonic()
        result = run()
        self.figures.append(Figure(drill, result, time.monotonic() - began))
        print(self.figures[-1], flush=True)

    def command(self, *words: str, database: FreshDatabase | None = None) -> str:
        """The output of a command, which must succeed."""
        database = database or self.database
        env = {"DATABASE_URL": database.app_url, "DATABASE_BACKUP_URL": database.superuser_url}
        done = CliRunner().invoke(opsboard, words, env={**env, "OPSBOARD_DATA": str(self.folder / "data")})
        if done.exit_code:
            raise AssertionError((words, done.output, done.exception))
        return done.output

    def back_up_and_restore(self, empty: FreshDatabase) -> None:
        """Backup, its verification, and the restore into an empty database, which then has the same rows."""
        self.timed("`opsboard backup`", self._back_up)
        (file,) = (self.folder / "backups").glob("opsboard-*.dump")
        self.timed("`opsboard backup verify`", lambda: last_line(self.command("backup", "verify", str(file))))
        self.timed("`opsboard restore` into an empty database", lambda: self._restore(file, empty))
        kept, restored = checksums(self.database.superuser_url), checksums(empty.superuser_url)
        assert kept == restored, {table: (kept[table], restored.get(table)) for table in kept}
        self.figures.append(Figure("checksums of all tables", f"{len(kept)} tables equal", 0.0))

    def _back_up(self) -> str:
        self.command("backup", "--into", str(self.folder / "backups"))
        (file,) = (self.folder / "backups").glob("opsboard-*.dump")
        return f"{file.stat().st_size / 1e6:,.0f} MB"

    def _restore(self, file: Path, empty: FreshDatabase) -> str:
        self.command("restore", str(file), database=empty)
        ((jobs,),) = rows(empty, "SELECT count(*) FROM jobs")
        return f"{jobs:,} jobs"

    def export_and_import(self) -> None:
        """Export of the largest business, its import into an empty one, and the export of that one: equal files."""
        ((slug, jobs),) = rows(self.database, LARGEST)
        url, first, second = self.database.app_url, self.folder / "first", self.folder / "second"
        self.timed(f"`opsboard tenant export` of {jobs:,} jobs", lambda: self._export(slug, first))
        with closing(psycopg2.connect(self.database.superuser_url)) as connection, connection:
            connection.cursor().execute("INSERT INTO tenants (slug, name) VALUES ('copy', 'Copy')")
        mapping = load_mapping(first / MAPPING)

        def import_all() -> str:
            done = run_import(url, first, mapping, "copy")
            return f"{sum(one.inserted for one in done.tables):,} rows"

        self.timed("`opsboard import` of it into an empty business", import_all)
        self.timed("export of the copy", lambda: self._export("copy", second))
        before, after = file_checksums(first), file_checksums(second)
        assert before == after, {path for path in before if before[path] != after.get(path)}
        self.figures.append(Figure("checksums of the files", f"{len(before)} files equal", 0.0))

    def _export(self, slug: str, folder: Path) -> str:
        with redirect_stdout(StringIO()):
            written = export_business(self.database.app_url, slug, folder, Progress())
        return f"{sum(one.rows for one in written):,} rows"


def rows(database: FreshDatabase, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def last_line(output: str) -> str:
    """The outcome, without the name of the file before it."""
    return output.strip().splitlines()[-1].rpartition(".dump: ")[2]


def make_businesses(database: FreshDatabase, jobs: int) -> None:
    """The demo, with so many jobs in all."""
    words = ("demo", "--jobs", str(jobs), "--no-server")
    done = CliRunner().invoke(opsboard, words, env={"DATABASE_URL": database.owner_url})
    if done.exit_code:
        raise AssertionError((done.output, done.exception))


def table(figures: list[Figure]) -> str:
    lines = ["| drill | result | seconds |", "|---|---|---|"]
    lines += [
        f"| {one.drill} | {one.result} | {f'{one.seconds:,.0f}' if one.seconds else ''} |" for one in figures
    ]
    return "\n".join([*lines, ""])


def with_table(document: str, figures: list[Figure]) -> str:
    """The document with the table between its marks."""
    return with_part(document, BEGIN, END, table(figures))


@contextmanager
def two_databases() -> Iterator[tuple[FreshDatabase, FreshDatabase]]:
    """On a server of its own, on the disk that TMPDIR names."""
    os.environ.setdefault("TMPDIR", "/var/tmp")
    with cluster_folder() as place, running_cluster(place / "drills") as cluster:
        names = ("large", "empty")
        for name in names:
            cluster.ensure_roles_and_database(name)
        large, empty = (FreshDatabase(cluster, name) for name in names)
        yield large, empty


if __name__ == "__main__":
    document, jobs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else JOBS
    with two_databases() as (large, empty), tempfile.TemporaryDirectory(dir=os.environ["TMPDIR"]) as scratch:
        drills = Drills(large, Path(scratch))
        drills.timed("`opsboard demo`", lambda: make_businesses(large, jobs) or f"{jobs:,} jobs")
        drills.back_up_and_restore(empty)
        drills.export_and_import()
    document.write_text(with_table(document.read_text(encoding="utf-8"), drills.figures), encoding="utf-8")
