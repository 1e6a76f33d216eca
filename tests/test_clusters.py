"""The tests' own servers do not outlive them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsboard.db.postmaster import Postmaster
from tests import clusters
from tests.clusters import MIGRATIONS, cluster_folder

KILLED_RUN = """
import os, signal, sys
import psutil
from tests.clusters import cluster_folder, running_cluster
folder = cluster_folder()
data = folder.__enter__() / "18"
cluster = running_cluster(data)
server = psutil.Process(cluster.__enter__().pid)
print(data, flush=True)
if "stopped" in sys.argv:
    for process in (server, *server.children()):
        process.send_signal(signal.SIGSTOP)
os._exit(9)
"""


@pytest.fixture
def place(folder_of_clusters: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for servers that no other test run sweeps."""
    place = folder_of_clusters / "killed"
    place.mkdir(mode=0o755, exist_ok=True)
    place.chmod(0o755)
    monkeypatch.setattr(clusters, "_place", lambda: place)
    return place


def kill_a_run(place: Path, *arguments: str) -> Path:
    """Leave the server of a killed test run behind; gives its data folder."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *arguments],
        cwd=MIGRATIONS.parent,
        env={**os.environ, "TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    data = Path(killed.stdout.strip())
    assert data.name == "18", killed.stderr
    return data


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_server_of_a_killed_run_is_stopped_and_removed_by_the_next(place: Path, state: str) -> None:
    data = kill_a_run(place, state)
    left_behind = Postmaster(data)
    assert left_behind.pid is not None
    with cluster_folder() as in_use:
        assert left_behind.pid is None
        assert not data.parent.exists()
        with cluster_folder():
            assert in_use.exists()


def test_a_server_that_cannot_be_ended_does_not_end_the_next_run(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = kill_a_run(place)

    def stay(data: Path) -> None:
        raise TimeoutError("does not end")

    with monkeypatch.context() as patch:
        patch.setattr(clusters, "end_server", stay)
        clusters._sweep(place)
        assert f"{data.parent} of an earlier test run stays: does not end" in capsys.readouterr().err
    assert Postmaster(data).pid is not None
    clusters._sweep(place)
    assert not data.parent.exists()
