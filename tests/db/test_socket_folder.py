"""Where the socket lies when the data folder's path is no place for one."""

from __future__ import annotations

import os
from pathlib import Path

from tests.db.private_servers import answer, as_root, throwaway


def test_long_path_gets_a_short_private_socket_folder_that_is_kept(place: Path, data: Path) -> None:
    data = data.rename(place / ("long" * 25))
    cluster = throwaway(data)
    cluster.start()
    folder = cluster.socket_dir
    try:
        assert answer(cluster, "SELECT 1") == 1
        assert folder.stat().st_mode & 0o077 == 0
        cluster.stop()
        assert throwaway(data).socket_dir == folder
        # Not ours any more: somebody else may have made a folder of that name after /tmp was cleared.
        folder.chmod(0o755)
        cluster.start()
        assert cluster.socket_dir != folder
        cluster.stop()
        cluster.socket_dir.rmdir()
    finally:
        folder.rmdir()


def test_path_with_a_comma_works(place: Path, data: Path) -> None:
    cluster = throwaway(data.rename(place / "a,b"))
    cluster.start()
    assert answer(cluster, "SELECT 1") == 1
    cluster.stop()
    cluster.socket_dir.rmdir()


@as_root
def test_socket_folder_of_another_user_is_not_used(place: Path, data: Path) -> None:
    data = data.rename(place / ("long" * 25))
    cluster = throwaway(data)
    cluster.start()
    cluster.stop()
    folder = cluster.socket_dir
    os.chown(folder, 0, 0)
    assert throwaway(data).socket_dir == data
    folder.rmdir()
