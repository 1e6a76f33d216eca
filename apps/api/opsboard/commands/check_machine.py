"""The machine: versions, the data folder, memory."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from psycopg2.extensions import libpq_version

from opsboard.commands.findings import Findings
from opsboard.config import Config
from opsboard.observability.build import version_and_commit

OLDEST_PYTHON = (3, 11)
SHOWN = ("opsboard", "flask", "apiflask", "pydantic", "gunicorn")
ROOMY = 0.25  # of the memory for the caches of all workers


def check_versions(findings: Findings) -> None:
    """Python and the libraries that matter."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info >= OLDEST_PYTHON:
        findings.ok("python", f"{platform.python_version()} ({sys.executable})")
    else:
        findings.fail(
            "python", f"{platform.python_version()} is too old", f"install Python {wanted} or newer"
        )
    found = {name: installed(name) for name in (*SHOWN, "psycopg2-binary", "psycopg2")}
    missing = [name for name in SHOWN if not found[name]]
    if missing:
        findings.fail("libraries", f"not installed: {', '.join(missing)}", "install the package again")
        return
    libpq = libpq_version()
    driver = found["psycopg2-binary"] or found["psycopg2"]
    # The metadata of a checkout are those of the day it was installed.
    found["opsboard"] = version_and_commit()
    told = ", ".join(f"{name} {found[name]}" for name in SHOWN)
    findings.ok("libraries", f"{told}, psycopg2 {driver} (libpq {libpq // 10000}.{libpq % 10000})")


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_data_folder(config: Config, findings: Findings) -> None:
    """Report whether the folder can be written to, if anything is kept there."""
    folder = config.data_folder
    if config.owner_url and config.secret_key:
        findings.ok("data folder", f"{folder} is not needed: database and secret are elsewhere")
        return
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        findings.ok("data folder", f"{folder}" if nearest == folder else f"{folder} can be made")
    else:
        findings.fail(
            "data folder", f"{nearest} cannot be written to", "set OPSBOARD_DATA to a folder of yours"
        )


def check_memory(config: Config, findings: Findings) -> None:
    """Compare the memory that all workers' caches may use with the memory of the machine."""
    wanted = config.web_concurrency * config.cache_max_bytes if config.cache_enabled else 0
    total = memory_limit()
    message = f"{config.web_concurrency} workers x CACHE_MAX_BYTES = {mebibytes(wanted)}"
    if total is None:
        findings.ok("memory", message)
    elif wanted > ROOMY * total:
        findings.warn(
            "memory", f"{message}, of {mebibytes(total)} in all", "lower CACHE_MAX_BYTES or WEB_CONCURRENCY"
        )
    else:
        findings.ok("memory", f"{message}, of {mebibytes(total)} in all")


def memory_limit() -> int | None:
    """Bytes this process may use: the machine's memory, or less in a container. None: cannot be told."""
    limits = []
    with suppress(OSError, ValueError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limits.append(int(Path(file).read_text()))
    return min(limits, default=None)


def mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
