"""Proves that a backup comes back: restored into a server made for it, migrated, checked, and thrown away."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from opsboard.commands.backup_programs import contents_of, restore, version_needed
from opsboard.commands.check_database import check_database
from opsboard.commands.findings import FAIL, Findings
from opsboard.commands.rollups import differences
from opsboard.config import Config
from opsboard.db.addresses import APPLICATION, DATABASE
from opsboard.db.client_programs import find_bindir
from opsboard.db.embedded import OWNER, SUPERUSER, Cluster
from opsboard.db.migrations import Migrator, default_folder
from opsboard.db.session import connected
from opsboard.imports.progress import progress_for

# Of the throw-away server: indexes are built in memory of this size, and no autovacuum beside the restore.
SETTINGS = {
    "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off", "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
}  # fmt: skip
COUNTS = "SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM users), (SELECT count(*) FROM jobs)"


def verify_backup(config: Config, file: Path) -> bool:
    """Return True if all is well, and print the seconds of each part. Raises CommandError if it cannot be restored."""
    bindir = find_bindir(version_needed(contents_of(file)), "postgres")
    began = time.monotonic()
    with throwaway_server(bindir) as cluster:
        superuser = cluster.url(SUPERUSER, DATABASE)
        with progress_for() as progress, timed("restored"):
            restore(superuser, file, bindir, progress)
        with timed("schema of this version"):
            applied = Migrator(cluster.url(OWNER, DATABASE), default_folder(), report=lambda _: None).up()
            with connected(superuser, "backup verify") as connection, connection.cursor() as cursor:
                cursor.execute("ANALYZE")
                cursor.execute(COUNTS)
                ((tenants, users, jobs),) = cursor.fetchall()
        click.echo(
            f"  {tenants:,} businesses, {users:,} users, {jobs:,} jobs; {len(applied)} migrations applied"
        )
        here = config.with_values(
            database_url=cluster.url(APPLICATION, DATABASE), database_owner_url=cluster.url(OWNER, DATABASE)
        )
        checks: tuple[tuple[str, Callable[[], list[str]]], ...] = (
            ("doctor", lambda: doctor_faults(here)),
            ("rollups verify", lambda: differences(superuser)[1]),
        )
        faults = []
        for name, check in checks:
            with timed(name):
                found = check()
            faults += found
            for line in found:
                click.echo(f"  {name}: {line}")
    outcome = "all is well" if not faults else f"{len(faults)} faults"
    click.echo(f"{file}: can be restored, {outcome}, {time.monotonic() - began:.1f} s")
    return not faults


def doctor_faults(config: Config) -> list[str]:
    """The failures that the checks of `opsboard doctor` find in a database."""
    findings = Findings()
    check_database(config, findings)
    return [f"{finding.check}: {finding.message}" for finding in findings.found if finding.level == FAIL]


@contextmanager
def timed(name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    click.echo(f"{name:24}{time.monotonic() - began:8.1f} s")


@contextmanager
def throwaway_server(bindir: Path) -> Iterator[Cluster]:
    """A server with the roles and an empty database, in a folder that goes at the end."""
    with tempfile.TemporaryDirectory(prefix="opsboard-verify-") as name:
        # For root the server runs as another user, who must get in; its data folder is closed to others.
        os.chmod(name, 0o755 if os.geteuid() == 0 else 0o700)
        cluster = Cluster(Path(name, "data"), bindir, durable=False, settings=SETTINGS)
        try:
            cluster.start()
            cluster.ensure_roles_and_database(DATABASE)
            url = cluster.url(SUPERUSER, "postgres")
            with connected(url, "backup verify") as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER NOBYPASSRLS")
            yield cluster
        finally:
            cluster.stop("immediate")
