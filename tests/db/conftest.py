"""Data folders for tests that start, stop and kill servers of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from tests.db.private_servers import throwaway


@pytest.fixture
def place(folder_of_clusters: Path) -> Iterator[Path]:
    """A folder for one test's own servers; what still runs in it afterwards is stopped."""
    folder = Path(tempfile.mkdtemp(dir=folder_of_clusters))
    folder.chmod(0o755)
    yield folder
    for left_running in folder.rglob("postmaster.pid"):
        cluster = Cluster(left_running.parent)
        if cluster.pid is not None:
            os.kill(cluster.pid, signal.SIGCONT)  # a test that failed may have left it frozen
        cluster.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def pristine(folder_of_clusters: Path) -> Path:
    """A data folder made by a start and stopped."""
    cluster = throwaway(folder_of_clusters / "pristine")
    cluster.start()
    cluster.stop()
    return cluster.data


@pytest.fixture
def data(place: Path, pristine: Path) -> Path:
    """A copy of it: ten times quicker than making one."""
    subprocess.run(["cp", "-a", pristine, place / "data"], check=True)
    return place / "data"
