"""Reads postmaster.pid, the file in which a running Postgres says what it is doing."""

from __future__ import annotations

import os
from pathlib import Path

# Lines of the file, as in Postgres's src/include/utils/pidfile.h; the lock of its socket begins alike.
PID, DATA, SOCKET_DIR, STATUS = 0, 1, 4, 7


class Postmaster:
    """The main process of the server of one data folder, as far as it exists."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._file = data / "postmaster.pid"

    @property
    def pid(self) -> int | None:
        """Its number; None for a number left behind by a crash or reboot, even if it is another's by now."""
        number = self._line(PID)
        if not number.isdigit():
            return None
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass
        return int(number) if self._works_in_data_folder(int(number)) else None

    @property
    def status(self) -> str:
        """starting, stopping, ready or standby."""
        return self._line(STATUS)

    @property
    def socket_dir(self) -> Path | None:
        """The folder of its socket."""
        folder = self._line(SOCKET_DIR)
        return Path(folder) if folder else None

    def forget(self) -> None:
        """Remove what a dead one left: Postgres does not forgive a number given to another program."""
        folder = self.socket_dir
        if self.pid is not None or folder is None:
            return
        for lock in folder.glob(".s.PGSQL.*.lock"):
            if lock.read_text().splitlines()[PID : DATA + 1] == [self._line(PID), str(self._data)]:
                lock.unlink()
        self._file.unlink(missing_ok=True)

    def _works_in_data_folder(self, pid: int) -> bool:
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", self._data)
        except OSError:
            return not Path("/proc/self").exists()

    def _line(self, number: int) -> str:
        try:
            lines = self._file.read_text().splitlines()
        except OSError:
            return ""
        return lines[number].strip() if len(lines) > number else ""
