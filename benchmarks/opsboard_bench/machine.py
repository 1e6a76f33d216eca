"""Where a measurement was made, for those who compare it with their own."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from opsboard.db.postgres_programs import embedded_bindir

PACKAGES = {
    "gunicorn": "gunicorn",
    "gunicorn_h1c": "gunicorn_h1c",
    "Flask": "flask",
    "APIFlask": "apiflask",
    "psycopg2": "psycopg2-binary",
    "PyJWT": "pyjwt",
    "Flask-Caching": "flask-caching",
    "dogpile.cache": "dogpile.cache",
    "redis-py": "redis",
}
PROGRAMS = {"nginx": ("-v",), "redis-server": ("--version",)}
NUMBER = re.compile(r"\d+\.\d+(\.\d+)?")


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def processor() -> str:
    """The processor's name and the number of cores this process may use."""
    lines = read("/proc/cpuinfo").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{name}, {usable} core{'s' if usable != 1 else ''}"


def memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.0f} GiB"


def system() -> str:
    names = [line.partition("=")[2].strip('"') for line in read("/etc/os-release").splitlines()
             if line.startswith("PRETTY_NAME=")]  # fmt: skip
    return ", ".join([*names, f"{platform.system()} {platform.release()}"])


def versions() -> str:
    """Of what takes part besides Postgres."""
    found = [f"{platform.python_implementation()} {platform.python_version()}"]
    for name, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(package)}")
    for program, arguments in PROGRAMS.items():
        if path := shutil.which(program):
            said = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
            if number := NUMBER.search(said.stdout + said.stderr):
                found.append(f"{program} {number[0]}")
    return ", ".join(found)


def postgres() -> str:
    said = subprocess.run(
        [embedded_bindir() / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    number = NUMBER.search(said.stdout)
    return number[0] if number else "unknown"


def clock() -> float:
    """Seconds, for how long something took."""
    return time.monotonic()


def load_average() -> float:
    """How many processes wanted a core over the last minute: above the number of cores, figures suffer."""
    return os.getloadavg()[0]


def read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
