"""Which worker this is: a process on a machine, as the others know it."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Worker:
    """One process. `started_at` in seconds since 1970."""

    machine: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.time)
    # Process numbers come again; this does not.
    nonce: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def id(self) -> str:
        return f"{self.machine}:{self.pid}:{self.nonce}"
