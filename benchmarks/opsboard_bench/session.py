"""A session at the service, and the answer that is measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsboard.demo.catalogue import BUSINESSES, PASSWORD
from opsboard.errors import CommandError
from opsboard_bench.load.answers import Answer
from opsboard_bench.load.connections import Address, exchange
from opsboard_bench.scenarios import STATS, Scenario

EMAIL = BUSINESSES[0].email("admin")
# gunicorn adds these to every answer.
OF_THE_SERVER = {"server", "date", "connection"}
ATTEMPTS = 200


@dataclass(frozen=True)
class Session:
    """Somebody signed in, and the answer of /api/dashboard/stats to them."""

    token: str
    headers: list[tuple[str, str]]
    body: str

    @property
    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def request(self, scenario: Scenario) -> str:
        """The request of a scenario, as curl would send it."""
        headers = ["Host: opsboard", "User-Agent: opsboard-bench", "Accept: */*"]
        if scenario.signed_in:
            headers.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join([f"GET {scenario.path} HTTP/1.1", *headers, "", ""])

    def store(self, path: Path) -> None:
        """For the contenders, which answer the same."""
        path.write_text(json.dumps({"headers": self.headers, "body": self.body}), encoding="utf-8")


def sign_in(address: Address) -> Session:
    """Sign in as the demo's admin and ask until the answer comes from the cache."""
    token = request_token(address)
    # Each worker has a cache of its own to warm.
    for _ in range(ATTEMPTS):
        answer = ask(address, STATS, token)
        lines = answer.head.decode("latin-1").split("\r\n")[1:-1]
        pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        headers = [(name, value) for name, value in pairs if name.lower() not in OF_THE_SERVER]
        if answer.status == 200 and ("X-Cache", "HIT") in headers:
            return Session(token, headers, answer.body.decode())
    raise CommandError(f"{STATS} is not answered from the cache: {answer.status} {dict(headers)}")


def request_token(address: Address, email: str = EMAIL) -> str:
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    answer = exchange(
        address,
        b"POST /api/auth/login HTTP/1.1\r\nHost: opsboard\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
    )
    if answer.status != 200:
        raise CommandError(f"{email} cannot sign in: status {answer.status}.")
    token: str = json.loads(answer.body)["access_token"]
    return token


def ask(address: Address, path: str, token: str) -> Answer:
    head = f"GET {path} HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {token}\r\n\r\n"
    return exchange(address, head.encode("latin-1"))
