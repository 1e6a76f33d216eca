"""Real gunicorn and real nginx, each in a folder of its own and ended by the number of its process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from tests.application import SECRET
from tests.deploy.http_client import Client
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def alive(pid: int) -> bool:
    """Return True if a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def private_folder() -> Iterator[Path]:
    """Short enough a path for a socket."""
    with tempfile.TemporaryDirectory(prefix="opsboard-") as folder:
        yield Path(folder)


class Gunicorn:
    """gunicorn with the project's gunicorn.conf.py and nothing of this machine's settings."""

    def __init__(self, folder: Path, app: str = "tests.deploy.probe_app:app()", *options: str) -> None:
        self.folder = folder
        self.socket = folder / "opsboard.sock"
        self.log = folder / "gunicorn.log"
        self.seen: set[int] = set()
        # Options of a command line win over gunicorn.conf.py.
        self.command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), *options, app]
        self.settings = {
            "BIND": f"unix:{self.socket}",
            "SECRET_KEY": SECRET,
            "OPSBOARD_DATA": str(folder / "data"),
            "WEB_GRACEFUL_TIMEOUT": "10",
            "LOG_LEVEL": "info",
        }

    def launch(self, **settings: str) -> None:
        """Start it and return at once."""
        self.settings |= settings
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**inherited, "PYTHONPATH": str(ROOT), **self.settings},
                stdout=log,
                stderr=log,
            )

    def start(self, **settings: str) -> None:
        """Start it and wait until all its workers answer."""
        self.launch(**settings)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        def up() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"gunicorn ended: {self.said()}")
            return self.answers()

        eventually("gunicorn answers", up)
        self.workers()

    def answers(self) -> bool:
        try:
            return self.client().get("/api/health").status == 200
        except OSError:
            return False

    def client(self, token: str | None = None) -> Client:
        bind = self.settings["BIND"]
        if bind.startswith("unix:"):
            return Client(Path(bind.removeprefix("unix:")), token)
        return Client(int(bind.rpartition(":")[2]), token)

    def workers(self) -> set[int]:
        """The processes gunicorn has now."""
        with suppress(OSError):
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            found = {pid for pid in map(int, children) if alive(pid)}
            self.seen |= found
            return found
        return set()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Its exit code."""
        self.workers()
        return self.process.wait(patience)

    def stop(self) -> None:
        """End it, whatever state it is in, and leave nothing behind."""
        self.workers()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.seen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.said_at_end = self.said()


@contextmanager
def running_gunicorn(app: str, *options: str, **settings: str) -> Iterator[Gunicorn]:
    """gunicorn for the length of a block."""
    with private_folder() as folder:
        server = Gunicorn(folder, app, *options)
        try:
            server.start(**settings)
            yield server
        finally:
            server.stop()


@contextmanager
def running_nginx(upstream: Path, logs: Path | None = None) -> Iterator[int]:
    """nginx with the project's site in front of a socket; its port. `logs`: where its files shall lie."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    with private_folder() if logs is None else nullcontext(logs) as folder:
        port = free_port()
        (folder / "site.conf").write_text(rendered_site(folder, upstream, port))
        (folder / "nginx.conf").write_text(
            ("user root;\n" if os.geteuid() == 0 else "")
            + f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events { worker_connections 256; }\n"
            f"http {{ {temp_paths(folder)} include {folder}/site.conf; }}\n"
        )
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        try:
            eventually("nginx listens", lambda: listens(port))
            yield port
        finally:
            process.terminate()
            process.wait(20)


def rendered_site(folder: Path, upstream: Path, port: int) -> str:
    """deploy/nginx.conf with this test's port and folders."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for found, put in {
        "    listen 80;": f"    listen 127.0.0.1:{port};",
        "unix:/run/opsboard/opsboard.sock max": f"unix:{upstream} max",
        "/var/log/nginx/": f"{folder}/",
        "/var/cache/opsboard-nginx": f"{folder}/cache",
    }.items():
        assert found in site, f"deploy/nginx.conf has no {found}"
        site = site.replace(found, put)
    return site


def temp_paths(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
