"""pgBackRest, as docs/operations.md sets it up, brings a server back to a moment, with counts that are right."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.commands.rollups import differences
from opsboard.db.embedded import PORT, SUPERUSER, Cluster
from opsboard.db.postgres_programs import account_for
from tests.clusters import cluster_folder, end_server, migrate_template, postgres15_bindir
from tests.deploy.test_files import DEPLOY
from tests.seed import seed
from tests.waiting import eventually

JOBS = "SELECT count(*), md5(string_agg(j::text, '' ORDER BY tenant_id, id)) FROM jobs AS j"


@pytest.fixture
def folder() -> Iterator[Path]:
    if shutil.which("pgbackrest") is None:
        pytest.skip("pgbackrest is not installed (Debian: pgbackrest)")
    with cluster_folder() as folder:
        folder.chmod(0o777)
        yield folder


def run(cluster: Cluster, folder: Path, *words: str) -> str:
    """Run pgbackrest as the user of the server."""
    command = ["pgbackrest", f"--config={folder / 'pgbackrest.conf'}", "--stanza=opsboard", *words]
    done = account_for(cluster.data).run(command)
    assert done.returncode == 0, done.stdout
    return done.stdout


def execute(cluster: Cluster, database: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(cluster.url(SUPERUSER, database))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_server_comes_back_as_it_was_at_a_moment(folder: Path) -> None:
    data = folder / "server"
    archive = f"pgbackrest --config={folder}/pgbackrest.conf --stanza=opsboard archive-push %p"
    settings = {
        "archive_mode": "on",
        "archive_command": archive,
        "wal_level": "replica",
        "max_wal_senders": "2",
    }
    cluster = Cluster(data, postgres15_bindir(), durable=False, settings=settings)
    lines = re.findall(r"(?s)<<'CONF'\n(.*?)CONF\n", (DEPLOY.parent / "docs" / "operations.md").read_text())[
        0
    ]
    lines = lines.replace("/var/lib/postgresql/15/main", str(data)).replace("/var/lib/", f"{folder}/")
    own = f"log-path={folder}\nlock-path={folder}\nspool-path={folder}\n[opsboard]\n"
    own += f"pg1-port={PORT}\npg1-user={SUPERUSER}\n"
    try:
        cluster.start()
        (folder / "pgbackrest.conf").write_text(
            lines.replace("[opsboard]\n", own + f"pg1-socket-path={cluster.socket_dir}\n")
        )
        run(cluster, folder, "stanza-create")
        database = migrate_template(cluster)
        alpha, _ = seed(cluster.url(SUPERUSER, database))
        run(cluster, folder, "check")
        run(cluster, folder, "--type=full", "backup")
        execute(cluster, database, f"UPDATE jobs SET title = 'after the backup' WHERE tenant_id = {alpha.id}")
        kept = execute(cluster, database, JOBS)
        # The end of a backup is known to the second; a moment within that second would be before it.
        execute(cluster, database, "SELECT pg_sleep(1.1)")
        [(moment,)] = execute(cluster, database, "SELECT now()::text")
        execute(cluster, database, "DELETE FROM job_status_links; DELETE FROM job_steps; DELETE FROM jobs")
        execute(cluster, database, "SELECT pg_switch_wal()")
        cluster.stop()
        run(
            cluster,
            folder,
            "--delta",
            "--type=time",
            f"--target={moment}",
            "--target-action=promote",
            "restore",
        )
        # The socket of this server is in its folder, so that the backup has the lock of the server that is gone.
        (data / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        cluster.start()
        url = cluster.url(SUPERUSER, database)
        # It takes readers before it has come to the moment, and writers after.
        in_recovery = "SELECT pg_is_in_recovery()"
        eventually("the server takes writers", lambda: execute(cluster, database, in_recovery) == [(False,)])
        assert execute(cluster, database, JOBS) == kept
        assert differences(url) == (2, [])
    finally:
        end_server(data)
