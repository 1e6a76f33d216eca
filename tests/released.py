"""The migrations of releases are frozen: a database that ran one must find it unchanged in every later release.

`python -m tests.released` says what is not as it was released; `--add` freezes the others, at a release.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LIST = MIGRATIONS / "released.sha256"


def read_list() -> dict[str, str]:
    """File -> checksum, in the format of sha256sum."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}


def checksum(path: Path) -> str:
    # As text, for git may write line ends as the machine has them.
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def faults(folder: Path = MIGRATIONS) -> list[str]:
    """Return the released files that differ."""
    found = []
    for name, released in read_list().items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} was released and is gone: put it back")
        elif checksum(path) != released:
            found.append(f"{name} was released and is changed: put it back; a change is a new migration")
    return found


def last_released() -> str:
    """The id of the newest migration that is frozen."""
    return max(name.removesuffix(".sql") for name in read_list() if not name.endswith(".rollback.sql"))


def add() -> list[str]:
    """Freeze every migration that is not frozen yet; their files."""
    known = read_list()
    new = {path.name: checksum(path) for path in MIGRATIONS.glob("*.sql") if path.name not in known}
    lines = sorted({**known, **new}.items())
    LIST.write_text("".join(f"{number}  {name}\n" for name, number in lines), encoding="utf-8")
    return sorted(new)


if __name__ == "__main__":
    if wrong := faults():
        sys.exit("\n".join(wrong))
    print("\n".join(add()) if sys.argv[1:] == ["--add"] else f"all as released, to {last_released()}")
