"""The tests' own servers do not outlive them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from opsboard.db.postmaster import Postmaster
from tests.clusters import MIGRATIONS, cluster_folder

KILLED_RUN = """
import os
from tests.clusters import cluster_folder, running_cluster
folder = cluster_folder()
data = folder.__enter__() / "18"
running_cluster(data).__enter__()
print(data, flush=True)
os._exit(9)
"""


def test_server_of_a_killed_run_is_stopped_and_removed_by_the_next(folder_of_clusters: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN], cwd=MIGRATIONS.parent, capture_output=True, text=True, check=False
    )
    data = Path(killed.stdout.strip())
    assert data.name == "18"
    left_behind = Postmaster(data)
    with cluster_folder():
        assert left_behind.pid is None
        assert not data.parent.exists()
    # One that is still in use is left alone.
    assert folder_of_clusters.exists()
