"""The first visitor of the demo: asks whether the service is there, signs in, and says how others do."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError, URLError

from opsboard.demo.catalogue import BUSINESSES, PASSWORD, SIGN_IN_ROLES

TIMEOUT = 10.0


class Client:
    """Speaks to the service at one address, past any proxy."""

    def __init__(self, host: str, port: int) -> None:
        # A server that listens on every address is also reached here.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
        self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_healthy(self) -> bool:
        """Return True if the service answers."""
        try:
            self._ask("/api/health")
        except (URLError, OSError, ValueError):
            return False
        return True

    def sign_in(self, email: str, password: str) -> str | None:
        """A token; None when the service does not know these."""
        try:
            answer = self._ask("/api/auth/login", {"email": email, "password": password})
        except HTTPError as error:
            if error.code == 401:
                return None
            raise
        return str(answer["access_token"])

    def _ask(self, path: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            self.address + path,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)


def welcome(client: Client) -> str:
    """Return the text printed once everything runs; its token is valid as long as any other."""
    token = client.sign_in(BUSINESSES[0].email(SIGN_IN_ROLES[0]), PASSWORD)
    lines = ["", f"Opsboard runs at {client.address}", ""]
    if token is None:
        lines += ["The database has businesses of its own, not the demo's: sign in as one of their users."]
    else:
        for place, business in enumerate(BUSINESSES):
            names = ", ".join(business.email(role) for role in SIGN_IN_ROLES)
            lines.append(f"{'' if place else 'Sign in as':12}{names}")
        lines += [
            f"{'Password':12}{PASSWORD} (demo only)",
            "",
            f"curl -H 'Authorization: Bearer {token}' {client.address}/api/dashboard/stats",
        ]
    return "\n".join([*lines, ""])
