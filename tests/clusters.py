"""Private Postgres servers for the tests, and databases copied from a migrated template."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
import psycopg2
import pytest
from psycopg2 import sql

from opsboard.db.embedded import OWNER, SUPERUSER, Cluster
from opsboard.db.postmaster import Postmaster

MIGRATIONS = Path(__file__).parent.parent / "migrations"
APPLICATION = "opsboard_app"
TEMPLATE = "opsboard_template"
FOLDER_PREFIX = "opsboard-tests-"
# Autovacuum would hold up copies of the template, and change plans in the middle of a test.
SETTINGS = {"autovacuum": "off", "max_wal_senders": "0", "wal_level": "minimal", "max_wal_size": "256MB"}
SHARED_MEMORY = Path("/dev/shm")
ROOMY = 3 * 1024**3
# Seconds in which a server ends by itself once it is asked to.
GRACE = 10.0

_numbers = count(1)


@dataclass(frozen=True)
class FreshDatabase:
    """A migrated database that belongs to one test."""

    cluster: Cluster
    name: str

    @property
    def owner_url(self) -> str:
        """As the role that migrates."""
        return self.cluster.url(OWNER, self.name)

    @property
    def app_url(self) -> str:
        """As the role the service uses."""
        return self.cluster.url(APPLICATION, self.name)

    @property
    def superuser_url(self) -> str:
        """As the role nothing can be hidden from."""
        return self.cluster.url(SUPERUSER, self.name)


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder the server's user can reach too; pytest's own are private, and root's server is not root."""
    place = _place()
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=place))
    folder.chmod(0o755)
    with open(folder / "alive", "w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            _remove(folder)


@contextmanager
def running_cluster(data: Path, bindir: Path | None = None) -> Iterator[Cluster]:
    """A server for as long as the block lasts."""
    cluster = Cluster(data, bindir, durable=False, settings=SETTINGS)
    cluster.start()
    try:
        yield cluster
    finally:
        end_server(data)


def postgres15_bindir() -> Path:
    """Where the machine's own PostgreSQL 15 is; skips the test when it has none."""
    candidates = [Path("/usr/lib/postgresql/15/bin")]
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(told.stdout.strip()))
    for bindir in candidates:
        if (bindir / "initdb").exists() and _version_of(bindir).startswith("postgres (PostgreSQL) 15."):
            return bindir
    pytest.skip("PostgreSQL 15 is not installed (Debian: postgresql-15)")


def migrate_template(cluster: Cluster) -> str:
    """Migrate the database all others are copied from, once in a cluster; returns its name."""
    from opsboard.db.migrations import Migrator

    query = sql.SQL("SELECT 1 FROM pg_database WHERE datistemplate AND datname = {}").format(
        sql.Literal(TEMPLATE)
    )
    if not _execute(cluster, query):
        cluster.ensure_roles_and_database(TEMPLATE)
        Migrator(cluster.url(OWNER, TEMPLATE), MIGRATIONS).up()
        _execute(cluster, sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(TEMPLATE)))
    return TEMPLATE


@contextmanager
def fresh_database(cluster: Cluster, template: str) -> Iterator[FreshDatabase]:
    """A copy of the template, dropped afterwards even while sessions are connected."""
    database = FreshDatabase(cluster, f"test_{next(_numbers)}")
    # FILE_COPY is twice as fast as the default where fsync is off.
    names = {name: sql.Identifier(value) for name, value in [("name", database.name), ("template", template)]}
    create = "CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER {owner}"
    _execute(cluster, sql.SQL(create).format(**names, owner=sql.Identifier(OWNER)))
    try:
        yield database
    finally:
        _execute(cluster, sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


def _execute(cluster: Cluster, statement: sql.Composed) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(cluster.url(SUPERUSER, "postgres"))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _version_of(bindir: Path) -> str:
    return subprocess.run(
        [bindir / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout


def _place() -> Path:
    """Memory when there is plenty, for a new database takes half a second on a busy disk; else TMPDIR."""
    if "TMPDIR" not in os.environ and os.access(SHARED_MEMORY, os.W_OK):
        room = os.statvfs(SHARED_MEMORY)
        # Postgres's programs may have to be copied beside the data and run from there.
        if room.f_bavail * room.f_frsize > ROOMY and not room.f_flag & os.ST_NOEXEC:
            return SHARED_MEMORY
    return Path(tempfile.gettempdir())


def end_server(data: Path) -> None:
    """End the server of a data folder at once, even one whose processes were stopped; TimeoutError if it stays."""
    pid = Postmaster(data).pid
    if pid is None:
        return
    try:
        server = psutil.Process(pid)
        processes = [server, *server.children()]
    except psutil.NoSuchProcess:
        return
    # A stopped process handles no signal but SIGKILL.
    _signal(processes, signal.SIGCONT)
    _signal([server], signal.SIGQUIT)
    _, remaining = psutil.wait_procs(processes, GRACE)
    _signal(remaining, signal.SIGKILL)
    _, remaining = psutil.wait_procs(remaining, GRACE)
    if remaining and Postmaster(data).pid is not None:
        raise TimeoutError(f"Postgres in {data} (process {pid}) does not end")


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _sweep(place: Path) -> None:
    """End and remove what a killed test run left behind; one that cannot be removed does not end this run."""
    for folder in place.glob(f"{FOLDER_PREFIX}*"):
        try:
            if folder.stat().st_uid != os.geteuid():
                continue
            with open(folder / "alive") as alive:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, just made, or removed by another run
        except Exception as error:
            print(f"{folder} of an earlier test run stays: {error}", file=sys.stderr)


def _remove(folder: Path) -> None:
    for version in folder.glob("*/PG_VERSION"):
        end_server(version.parent)
    shutil.rmtree(folder, ignore_errors=True)
