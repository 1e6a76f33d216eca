"""Finds pg_dump, pg_restore and psql of a suitable version, and gives them an address without showing its password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from opsboard.db.postgres_programs import embedded_bindir
from opsboard.errors import CommandError, EmbeddedError

# Where packages of Debian, of Fedora and of the PostgreSQL project put the programs of each version.
INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")


def find_bindir(major: int, program: str) -> Path:
    """The folder with `program` of this major version, or else of the oldest newer one. Raises CommandError."""
    found = {version: folder for folder in bindirs() if (version := version_of(folder / program)) >= major}
    if not found:
        raise CommandError(
            f"{program} {major} or newer is not installed (Debian: apt-get install postgresql-client-{major}, "
            f"for a throw-away server postgresql-{major}; or pip install 'opsboard[embedded]')."
        )
    return found[min(found)]


def newest_bindir(program: str) -> Path:
    """The folder with the newest `program`, which reads the files of all older ones. Raises CommandError."""
    found = {version_of(folder / program): folder for folder in bindirs()}
    return find_bindir(max(found, default=1) or 1, program)


def bindirs() -> Iterator[Path]:
    """Folders in which Postgres's programs may be, the embedded package's last."""
    for pattern in INSTALLED:
        yield from sorted(Path("/").glob(pattern[1:]), reverse=True)
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    try:
        yield embedded_bindir()
    except EmbeddedError:
        return


def version_of(program: Path) -> int:
    """The major version of a program; 0 when it is not there or does not run."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.search(r"\b(\d+)(\.\d+|devel|beta|rc)", told)
    return int(found[1]) if found else 0


def connection_words(url: str) -> tuple[str, dict[str, str]]:
    """The address as an argument of a program, and its environment: the password is only there, where ps has it not."""
    parts = parse_dsn(url)
    environment = {**os.environ, "LC_ALL": "C"}
    if password := parts.pop("password", ""):
        environment["PGPASSWORD"] = password
    return f"--dbname={make_dsn(**parts)}", environment
