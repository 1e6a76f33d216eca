"""A private redis-server on a unix socket, to be stopped, frozen and emptied."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

PATIENCE = 20.0


class RedisServer:
    """One process, ended by its number; `options` are redis-server's own."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("redis-server is not installed (Debian: redis-server)")
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = [program, "--port", "0", "--unixsocket", str(self.socket), "--save", "", *options]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def say(self, *words: str | bytes) -> bytes:
        """Send one command by hand; the first bytes of the answer."""
        raw = [word.encode() if isinstance(word, str) else word for word in words]
        message = b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in raw)
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.socket))
            connection.sendall(message)
            return connection.recv(1 << 20)

    def names(self) -> list[bytes]:
        """Of everything that is kept; for a server with little in it."""
        return [line for line in self.say("KEYS", "*").split(b"\r\n") if line.startswith(b"opsboard")]

    def _answers(self) -> bool:
        try:
            return self.say("PING")[:1] in (b"+", b"-")
        except OSError:
            return False


@contextmanager
def running_redis(*options: str) -> Iterator[RedisServer]:
    """A server for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="opsboard-") as folder:
        server = RedisServer(Path(folder), *options)
        try:
            server.start()
            yield server
        finally:
            server.kill()
