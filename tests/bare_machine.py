"""A machine for the commands in bin/: stand-ins for Python and uv write down what they are asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# All a command may use besides Python.
TOOLS = ["cat", "cksum", "dirname", "grep", "mkdir", "mv", "rm", "sed", "sh", "tail"]

PYTHON = """#!/bin/sh
case "$*" in
*version_info\\[:2\\]*_base_executable*) echo "${PYTHON_VERSION-3.12} ${BASE_PYTHON-$0}" ;;
*version_info\\[:2\\]*) echo "${PYTHON_VERSION-3.12} $0" ;;
"-c import pip") [ "${NO_PIP-}" != "${0##*/}" ] ;;
*fcntl*) exec "$REAL_PYTHON" "$@" ;;
"-m pip config list") echo "${PIP_CONFIG-}" ;;
"-m pip install "*)
    echo "pip $*" >>"$LOG"
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2/bin" && cat "$MACHINE/uv" >"$2/bin/uv" && chmod +x "$2/bin/uv" ;;
"-m pytest "*) printf '<%s>' "$@" ;;
*) exit "${OLD_VENV-0}" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $* index=${UV_DEFAULT_INDEX-} certificates=${SSL_CERT_FILE-} downloads=$UV_PYTHON_DOWNLOADS" >>"$LOG"
case "$1" in
venv) mkdir -p .venv/bin && cat "$MACHINE/python3" >.venv/bin/python && chmod +x .venv/bin/python ;;
pip)
    [ -z "${BROKEN_INDEX-}" ] || exit 2
    printf '#!%s/.venv/bin/python\\n' "$PWD" >.venv/bin/opsboard
    chmod +x .venv/bin/opsboard ;;
esac
"""


class Machine:
    """A checkout and a PATH with nothing but what is said to be needed."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.path = folder / "path"
        self.log = folder / "log"
        for made in (self.checkout, self.path):
            made.mkdir()
        for name in ("uv.lock", "setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout)
        shutil.copytree(ROOT / "bin", self.checkout / "bin")
        for tool in (*TOOLS, "chmod"):
            found = shutil.which(tool)
            assert found
            (self.path / tool).symlink_to(found)
        self.install("python3", PYTHON)
        self.install("uv", UV)

    def install(self, name: str, script: str) -> None:
        (self.path / name).write_text(script)
        (self.path / name).chmod(0o755)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.checkout / "bin" / command[0], *command[1:]],
            cwd="/",
            env={
                "PATH": str(self.path),
                "HOME": str(self.path),
                "MACHINE": str(self.path),
                "LOG": str(self.log),
                "REAL_PYTHON": sys.executable,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*command, **environment)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []
