"""Memory of password hashes goes back to the system."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from concurrent.futures import ThreadPoolExecutor
from opsboard.auth.passwords import hash_password
from opsboard.observability.tally import memory_bytes
from opsboard.web.worker import give_large_blocks_back
if {given_back}:
    give_large_blocks_back()
before = memory_bytes()
with ThreadPoolExecutor(6) as pool:
    list(pool.map(hash_password, ["a password of some length"] * 36))
    print((memory_bytes() - before) >> 20)
"""


def growth(given_back: bool) -> int:
    """MiB that a process has grown by."""
    program = PROGRAM.format(given_back=given_back)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_after_many_sign_ins_a_worker_is_as_small_as_before() -> None:
    assert growth(given_back=False) > 12, "or the test shows nothing"
    assert growth(given_back=True) < 10
