"""opsboard bench --url: many clients ask one address of a running service, over and over."""

from __future__ import annotations

import gzip
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opsboard.config import Config
from opsboard.errors import CommandError
from opsboard_bench.figures import percentile
from opsboard_bench.load.answers import Answer, WrongAnswer
from opsboard_bench.load.connections import Address, Connection, Watched, exchange

TOKEN = "OPSBOARD_TOKEN"


@dataclass
class Load:
    """The answers of all clients. `statuses` and `cache` count them; latencies are milliseconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    cache: Counter[str] = field(default_factory=Counter)
    statements: int = 0
    plain_bytes: int = 0
    gzip_bytes: int = 0

    def add(self, answer: Answer, milliseconds: float) -> None:
        self.latencies.append(milliseconds)
        self.statuses[answer.status] += 1
        self.cache[header(answer, b"x-cache") or "none"] += 1
        self.statements += int(header(answer, b"x-queries") or 0)

    def table(self) -> str:
        """The figures to read."""
        number = len(self.latencies)
        p50, p95, p99 = (percentile(self.latencies, share) for share in (0.5, 0.95, 0.99))
        lines = {
            "answers": f"{number:,} in {self.seconds:.1f} s, {number / self.seconds:,.1f} a second",
            "status": told(self.statuses),
            "latency": f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, longest {max(self.latencies):.1f} ms",
            "cache": told(self.cache),
            "statements": f"{self.statements:,}, {self.statements / number:.3f} an answer",
            "bytes": f"{self.plain_bytes:,}, gzip {self.gzip_bytes:,}",
        }
        return "\n".join(f"{name:<11} {line}" for name, line in lines.items())


def measure_url(url: str, clients: int, seconds: float, config: Config) -> Load:
    """Keep that many connections busy with the same GET for so long.

    Raises CommandError when the service cannot be reached or answers something that is no HTTP.
    """
    address, request = target(url, config)
    try:
        size = exchange(address, request)
        load = ask_all(address, request, clients, seconds)
    except (OSError, WrongAnswer) as error:
        raise CommandError(f"{url}: {error}") from error
    load.plain_bytes, load.gzip_bytes = len(size.body), len(gzip.compress(size.body, 6))
    return load


def target(url: str, config: Config) -> tuple[Address, bytes]:
    """Where to connect and what to send; a path alone is asked of HOST and PORT, or of BIND."""
    parts = urlsplit(url if "://" in url else f"http://{config.host}:{config.port}{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise CommandError(f"{url} must be a path, or an address that begins with http://.")
    bind = str(config.bind)
    address: Address = (parts.hostname, parts.port or 80)
    if "://" not in url and bind.startswith("unix:"):
        address = bind.removeprefix("unix:")
    path = parts.path or "/"
    lines = [f"GET {path}{'?' + parts.query if parts.query else ''} HTTP/1.1", f"Host: {parts.netloc}"]
    if token := os.environ.get(TOKEN):
        lines.append(f"Authorization: Bearer {token}")
    return address, ("\r\n".join([*lines, "User-Agent: opsboard-bench", "Accept: */*"]) + "\r\n\r\n").encode()


def ask_all(address: Address, request: bytes, clients: int, seconds: float) -> Load:
    """A closed loop: each client asks again as soon as it has its answer."""
    load, watched = Load(), Watched()
    connections = [Connection(address, request, watched) for _ in range(clients)]
    began = time.perf_counter_ns()
    ends = began + int(seconds * 1e9)
    for connection in connections:
        connection.send()
    while watched:
        for connection in watched.ready():
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter_ns()
            load.add(answer, (now - connection.sent_at) / 1e6)
            if now >= ends:
                connection.close()
            else:
                connection.send()
    load.seconds = (time.perf_counter_ns() - began) / 1e9
    return load


def header(answer: Answer, name: bytes) -> str:
    """The value of a header; the head of an answer may be in any case."""
    for line in answer.head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip().decode("latin-1")
    return ""


def told(counts: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.most_common())
