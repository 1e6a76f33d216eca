"""Builds the package with its commit: in a file for the service to tell, and in the version of the wheel.

So wheels of different content have different versions: 0.2.0+g5d611ae0b9ca of a clean checkout, 0.2.0+c0123456789ab
(a checksum of the files) of one with changes, or without git.
"""

import ast
import hashlib
import subprocess
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGED = (
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "gunicorn.conf.py",
    "apps/api/opsboard",
    "benchmarks/opsboard_bench",
    "migrations",
)


def base_version():
    tree = ast.parse((ROOT / "apps/api/opsboard/__init__.py").read_text(encoding="utf-8"))
    values = [
        n.value.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "__version__"
    ]
    return values[0]


def git(*words):
    try:
        done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commit():
    """The commit this checkout is at; empty when it is none of its own, or has changes."""
    at_root = git("rev-parse", "--show-toplevel") == str(ROOT)
    return (
        git("rev-parse", "--short=12", "HEAD")
        if at_root and not git("status", "--porcelain", *PACKAGED)
        else ""
    )


def content():
    """A checksum of all that is packaged."""
    digest = hashlib.sha256()
    files = (path for name in PACKAGED for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file())
    for path in sorted(path for path in files if "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


COMMIT = commit()


class BuildWithCommit(build_py):
    """Adds the file that `opsboard.observability.build` reads; a checkout that is edited asks git instead."""

    def run(self):
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "opsboard", "commit.txt")
            target.write_text(COMMIT, encoding="ascii")


setup(
    # setup.cfg can look for packages in one folder only.
    packages=[*find_packages("apps/api"), *find_packages("benchmarks")],
    version=f"{base_version()}+{f'g{COMMIT}' if COMMIT else f'c{content()}'}",
    cmdclass={"build_py": BuildWithCommit},
)
