"""A small HTTP client over TCP or a unix socket that keeps its connection, as a browser does."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Longer than any answer may take, so that a hanging server fails a test instead of stopping it.
PATIENCE = 20


@dataclass(frozen=True)
class Answer:
    """An answer; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        zipped = self.headers.get("Content-Encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if zipped else self.body)


class OverUnixSocket(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """`address` is the path of a socket, or a port of this machine. Not for several threads at once."""

    def __init__(self, address: Path | int, token: str | None = None) -> None:
        self.connection = (
            http.client.HTTPConnection("127.0.0.1", address, timeout=PATIENCE)
            if isinstance(address, int)
            else OverUnixSocket(str(address))
        )
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **headers: str) -> Answer:
        """Underscores in names of headers stand for dashes."""
        return self.request("GET", path, None, headers)

    def post(self, path: str, content: Any, **headers: str) -> Answer:
        return self.request(
            "POST", path, json.dumps(content).encode(), {"Content_Type": "application/json", **headers}
        )

    def request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())  # type: ignore[arg-type]
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        self.connection.close()
