"""Identifies a worker: a process on a machine, and the processes beside it that have ended."""

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
    # Process numbers are comparable within one namespace only: machines may share a name, containers a machine.
    pid_namespace: str = field(default_factory=lambda: own_pid_namespace())
    # The operating system reuses process numbers; this one is never reused.
    nonce: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def id(self) -> str:
        return f"{self.machine}:{self.pid}:{self.nonce}"


def own_pid_namespace() -> str:
    """Return the boot id of this machine and its process namespace; empty if the system does not show them."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def has_ended(pid: int) -> bool:
    """Return True if no process of this namespace has the number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
