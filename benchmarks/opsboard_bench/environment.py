"""The databases that are measured on: private ones, made for the run and gone with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg2

from opsboard.config import Config
from opsboard.db.addresses import APPLICATION, DATABASE
from opsboard.db.embedded import OWNER, SUPERUSER, Cluster
from opsboard.db.migrations import Migrator, default_folder
from opsboard.demo.generate import generate
from opsboard_bench.options import Options

Report = Callable[[str], None]
# As a server of this size would be set; nothing that makes a commit less durable. A checkpoint in the middle of a
# round would be an outlier of one row.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "maintenance_work_mem": "512MB",
    "track_commit_timestamp": "on",
}


@dataclass(frozen=True)
class Bench:
    """The input of every measurement."""

    config: Config
    options: Options
    folder: Path
    report: Report


@dataclass(frozen=True)
class Environment:
    """A database with data, the folder of its measurement, and the server."""

    url: str
    folder: Path
    cluster: Cluster

    @property
    def superuser_url(self) -> str:
        return self.cluster.url(SUPERUSER, DATABASE)


@contextmanager
def server(bench: Bench, name: str, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A private Postgres in a folder of its own."""
    bench.report(f"{name}: starting a private Postgres")
    folder = bench.folder / name
    folder.mkdir()
    # Postgres refuses to be root, so root's server is another user's, who must get there.
    folder.chmod(0o755)
    cluster = Cluster(folder / "postgres", max_connections=200, settings={**SETTINGS, **(settings or {})})
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop("immediate")


@contextmanager
def with_demo_data(bench: Bench, name: str) -> Iterator[Environment]:
    """A database of the demo's businesses."""
    with server(bench, name) as cluster:
        migrated(cluster, DATABASE)
        bench.report(f"{name}: making {bench.options.jobs:,} jobs")
        generate(
            cluster.url(OWNER, DATABASE), bench.options.jobs, datetime.now(UTC), lambda step, done, of: None
        )
        # Their words would be written beside whatever is measured.
        with closing(psycopg2.connect(cluster.url(SUPERUSER, DATABASE))) as connection, connection:
            connection.cursor().execute("DELETE FROM search_pending WHERE source = 'jobs'")
        yield Environment(cluster.url(APPLICATION, DATABASE), bench.folder / name, cluster)


def migrated(cluster: Cluster, database: str) -> None:
    cluster.ensure_roles_and_database(database)
    Migrator(cluster.url(OWNER, database), default_folder(), report=lambda _: None).up()
