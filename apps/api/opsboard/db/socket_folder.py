"""Finds a folder short enough for Postgres's socket: the data folder itself when its path is."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

SOCKET_PATH_LIMIT = 107  # bytes; sun_path of unix(7) holds 108 with the closing NUL


def fits_a_socket(folder: Path, port: int) -> bool:
    # libpq reads a comma in `host` as the end of one of several names.
    return len(os.fsencode(folder / f".s.PGSQL.{port}")) <= SOCKET_PATH_LIMIT and "," not in str(folder)


def short_folder() -> Path:
    """A new folder only its owner can enter."""
    # Not tempfile's own choice: TMPDIR may be as long as the path that does not fit.
    return Path(tempfile.mkdtemp(prefix="opsboard-", dir="/tmp"))


def remembered_folder(data: Path) -> Path | None:
    """The short folder of an earlier start, unless /tmp was cleared and somebody else took the name."""
    try:
        folder = Path((data / "socket_dir").read_text())
        found = folder.lstat()
        owner = data.stat().st_uid
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    return folder if private and found.st_uid == owner else None
