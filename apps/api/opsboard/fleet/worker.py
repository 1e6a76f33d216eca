"""Which worker this is: a process on a machine, as the others know it; and which of its neighbours have ended."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Worker:
    """One process. `started_at` in seconds since 1970."""

    machine: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.time)
    # Where process numbers mean the same processes: machines may share a name, and containers a machine.
    house: str = field(default_factory=lambda: this_house())
    # Process numbers come again; this does not.
    nonce: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def id(self) -> str:
        return f"{self.machine}:{self.pid}:{self.nonce}"


def this_house() -> str:
    """The boot of this machine and the process namespace in it; empty where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def has_ended(pid: int) -> bool:
    """Whether no process of this house has the number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
