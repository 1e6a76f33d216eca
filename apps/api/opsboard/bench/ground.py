"""The database that is measured on: a private Postgres with the demo's data, or the one of DATABASE_URL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsboard.config import Config
from opsboard.db.addresses import APPLICATION, DATABASE
from opsboard.db.embedded import OWNER, Cluster
from opsboard.db.migrations import Migrator, default_folder
from opsboard.demo.generate import generate

Report = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """A database with data, and the folder of this run."""

    url: str
    folder: Path
    # The private server's process; None where the server is somebody else's.
    postgres: int | None


@contextmanager
def prepared(config: Config, jobs: int, report: Report) -> Iterator[Ground]:
    """Everything lies in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="opsboard-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Postgres refuses to be root, so root's server is another user's, who must get there.
        folder.chmod(0o755)
        if config.database_url:
            yield Ground(config.database_url, folder, None)
            return
        report("starting a private Postgres")
        cluster = Cluster(folder / "postgres", durable=False)
        try:
            cluster.start()
            fill(cluster, jobs, report)
            yield Ground(cluster.url(APPLICATION, DATABASE), folder, cluster.pid)
        finally:
            cluster.stop("immediate")


def fill(cluster: Cluster, jobs: int, report: Report) -> None:
    cluster.ensure_roles_and_database(DATABASE)
    owner = cluster.url(OWNER, DATABASE)
    Migrator(owner, default_folder(), report=report).up()
    report(f"making {jobs:,} jobs")
    generate(owner, jobs, datetime.now(UTC), lambda step, done, of: None)
