"""What kept counts cost writers: single rows by 8 clients, and 10,000 rows in one statement.

    python benchmarks/rollups.py [--rounds 7] [--seconds 5]

Starts a throwaway Postgres with fsync on and synchronous_commit as shipped, in TMPDIR. With and without take turns
within one run, so that whatever else the machine does hits both; printed are medians of the rounds, of the ratios
of neighbours, and the spread of these. "With" is the schema of this version, a folder at work beside the writers;
"without" the same data before migration 0006. pgbench comes with the embedded server. What readers gain:
benchmarks/rollup_reads.py.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg2

from opsboard.db.embedded import OWNER, SUPERUSER, Cluster
from opsboard.db.migrations import Migrator
from opsboard.db.postgres_programs import embedded_bindir
from opsboard.demo.generate import generate

MIGRATIONS = Path(__file__).parent.parent / "migrations"
BEFORE, AFTER = "bench_without", "bench_with"
BEFORE_MIGRATION = "0005"
CLIENTS = 8
BULK = 10_000
APPLICATION = "opsboard_app"
FOLD_EVERY = 0.5

BIND = "SELECT set_config('app.tenant_id', '1', true) \\;"
SINGLE = {
    "job: status": f"""\\set id random(1, 12000)
\\set s random(1, 5)
{BIND} UPDATE jobs SET status = (ARRAY['draft', 'active', 'on_hold', 'completed', 'cancelled'])[:s], \
completed_at = CASE WHEN :s = 4 THEN now() END WHERE tenant_id = 1 AND id = :id;
""",
    "job: quantity": f"""\\set id random(1, 12000)
{BIND} UPDATE jobs SET quantity = 1 + (quantity + 1) % 100 WHERE tenant_id = 1 AND id = :id;
""",
    "step: status": f"""\\set id random(1, 30000)
\\set s random(1, 4)
{BIND} UPDATE job_steps SET status = (ARRAY['pending', 'in_progress', 'completed', 'skipped'])[:s], \
completed_at = CASE WHEN :s = 3 THEN now() END WHERE tenant_id = 1 AND id = :id;
""",
}
SOME = f"tenant_id = 1 AND id <= {BULK}"
BULKS = {
    "jobs: UPDATE status": f"""UPDATE jobs
        SET status = CASE status WHEN 'draft' THEN 'active' ELSE 'draft' END WHERE {SOME}""",
    "jobs: UPDATE quantity": f"UPDATE jobs SET quantity = quantity + 1 WHERE {SOME}",
    "jobs: INSERT": f"""INSERT INTO jobs (tenant_id, job_number, title, status, due_date, created_at)
        SELECT 1, 'B' || n, 'bulk', 'active', current_date + n % 50, now() - n * interval '1 minute'
        FROM generate_series(1, {BULK}) AS n""",
    "jobs: DELETE with steps": f"DELETE FROM jobs WHERE {SOME}",
    "steps: UPDATE status": f"UPDATE job_steps SET status = 'skipped' WHERE {SOME}",
    "steps: DELETE": f"DELETE FROM job_steps WHERE {SOME}",
    "customers: INSERT": f"INSERT INTO customers (tenant_id, name) SELECT 1, 'c' FROM generate_series(1, {BULK})",
    "audit_logs: INSERT": f"""INSERT INTO audit_logs (tenant_id, action, entity)
        SELECT 1, 'a', 'e' FROM generate_series(1, {BULK})""",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=int, default=5)
    given = options.parse_args()
    with server() as cluster:
        writes(cluster, given.rounds, given.seconds)


@contextmanager
def server() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="opsboard-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "pg", settings={"shared_buffers": "1GB", "max_wal_size": "8GB"})
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")


def make(cluster: Cluster, name: str, jobs: int) -> None:
    cluster.ensure_roles_and_database(name)
    Migrator(cluster.url(OWNER, name), MIGRATIONS, report=lambda _: None).up()
    began = time.monotonic()
    generate(cluster.url(OWNER, name), jobs, datetime.now(UTC), lambda *_: None)
    print(f"{jobs:,} jobs made in {time.monotonic() - began:.0f} s", flush=True)


def writes(cluster: Cluster, rounds: int, seconds: int) -> None:
    make(cluster, AFTER, 20_000)
    execute(cluster, "postgres", f"CREATE DATABASE {BEFORE} TEMPLATE {AFTER} OWNER {OWNER}")
    Migrator(cluster.url(OWNER, BEFORE), MIGRATIONS, report=lambda _: None).down(BEFORE_MIGRATION)
    print(
        f"\n{'single rows, ' + str(CLIENTS) + ' clients':28}{'without':>16}{'with':>16}{'kept':>8}  spread of kept"
    )
    for name, script in SINGLE.items():
        for database in (BEFORE, AFTER):
            execute(cluster, database, "VACUUM ANALYZE")
        with folding(cluster):
            rates = interleaved(rounds, lambda database, s=script: rate(cluster, database, s, seconds))
        show(name, rates, "/s", lambda without, with_: with_ / without)
    print(
        f"\n{f'{BULK:,} rows in one statement':28}{'without':>16}{'with':>16}{'factor':>8}  spread of factor"
    )
    for name, statement in BULKS.items():
        for database in (BEFORE, AFTER):
            execute(cluster, database, "VACUUM ANALYZE")
        times = interleaved(rounds, lambda database, s=statement: bulk(cluster, database, s))
        show(name, times, " ms", lambda without, with_: with_ / without)


def interleaved(rounds: int, measure: Callable[[str], float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {BEFORE: [], AFTER: []}
    for number in range(rounds):
        for database in (BEFORE, AFTER) if number % 2 else (AFTER, BEFORE):
            found[database].append(measure(database))
    return found


def rate(cluster: Cluster, database: str, script: str, seconds: int) -> float:
    """Transactions a second, as the role of the service."""
    with tempfile.NamedTemporaryFile("w", suffix=".pgbench") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [str(embedded_bindir() / "pgbench"), "-n", "-M", "simple", "-c", str(CLIENTS), "-j", "2",
             "-T", str(seconds), "-f", file.name, cluster.url(APPLICATION, database)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


def bulk(cluster: Cluster, database: str, statement: str) -> float:
    with (
        closing(psycopg2.connect(cluster.url(SUPERUSER, database))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
        began = time.perf_counter()
        cursor.execute(statement)
        took = (time.perf_counter() - began) * 1000
        connection.rollback()
    return took


@contextmanager
def folding(cluster: Cluster) -> Iterator[None]:
    """What the workers do beside the writers."""
    done = threading.Event()

    def fold() -> None:
        with closing(psycopg2.connect(cluster.url(APPLICATION, AFTER))) as connection:
            connection.autocommit = True
            while not done.wait(FOLD_EVERY):
                connection.cursor().execute("SELECT fold_rollups()")

    thread = threading.Thread(target=fold)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def show(
    name: str, found: dict[str, list[float]], unit: str, compare: Callable[[float, float], float]
) -> None:
    ratios = sorted(compare(*pair) for pair in zip(found[BEFORE], found[AFTER], strict=True))
    middle = [f"{statistics.median(found[key]):,.0f}{unit}" for key in (BEFORE, AFTER)]
    print(
        f"{name:28}{middle[0]:>16}{middle[1]:>16}{statistics.median(ratios):>8.2f}  {ratios[0]:.2f} - {ratios[-1]:.2f}",
        flush=True,
    )


def execute(cluster: Cluster, database: str, statement: str) -> None:
    with closing(psycopg2.connect(cluster.url(SUPERUSER, database))) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


if __name__ == "__main__":
    main()
