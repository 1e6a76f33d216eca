"""Which version runs, and of which commit."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path

from opsboard import __version__

# Written into the package when it is built (setup.py).
RECORD = "commit.txt"


@cache
def commit() -> str | None:
    """The commit the running code was built from or, in a checkout, the one it is at; None where nobody can tell."""
    record = files("opsboard") / RECORD
    if record.is_file():
        return record.read_text(encoding="ascii").strip() or None
    checkout = Path(__file__).resolve().parents[4]
    # Installed into somebody else's repository, it is not of their commit.
    if not (checkout / "apps" / "api" / "opsboard").is_dir() or not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def version_and_commit() -> str:
    """For people: 0.2.0 (5d611ae0b9ca)."""
    return f"{__version__} ({commit()})" if commit() else __version__
