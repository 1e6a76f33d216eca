"""A real PgBouncer with the shipped deploy/pgbouncer.ini, in front of a test's server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import APPLICATION
from tests.deploy.servers import free_port, listens, private_folder
from tests.waiting import eventually

SHIPPED = Path(__file__).parents[1] / "deploy" / "pgbouncer.ini"


@contextmanager
def running_pgbouncer(
    cluster: Cluster,
    database: str,
    user: str = APPLICATION,
    connections: int = 2,
    in_turn: bool = False,
    log: Path = Path(os.devnull),
) -> Iterator[str]:
    """The address of the database through a pooler that has few connections: it hands out the one returned last
    first, or each `in_turn`."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: pgbouncer)")
    with private_folder() as folder:
        port = free_port()
        target = f"host={cluster.socket_dir} port=5432 dbname={database} user={user}"
        (folder / "users.txt").write_text(f'"{user}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            settings(database, target, port, folder / "users.txt", connections)
            + f"server_round_robin = {int(in_turn)}\n"
        )
        folder.chmod(0o755)
        with open(log, "w") as said:
            process = subprocess.Popen(
                [program, *runs_as(cluster), str(folder / "pgbouncer.ini")], stderr=said
            )
        try:
            eventually("PgBouncer listens", lambda: listens(port))
            yield f"postgresql://{user}@127.0.0.1:{port}/{database}"
        finally:
            process.terminate()
            process.wait(20)


def settings(database: str, target: str, port: int, users: Path, connections: int) -> str:
    """The shipped file with what is this machine's in the place of what it says to change."""
    text = SHIPPED.read_text()
    for name, value in {
        "opsboard": target,
        "listen_port": str(port),
        "auth_type": "trust",
        "auth_file": str(users),
        "default_pool_size": str(connections),
    }.items():
        line = f"{database if name == 'opsboard' else name} = {value}"
        text, replaced = re.subn(rf"(?m)^{name} = .*$", line, text)
        assert replaced == 1, name
    return text


def runs_as(cluster: Cluster) -> list[str]:
    """It refuses to be root, and only the server's own user may reach the server's socket."""
    return ["-u", cluster.socket_dir.owner()] if os.geteuid() == 0 else []
