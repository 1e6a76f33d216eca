"""Believe X-Forwarded-* only from a proxy that is known: by default the one on the unix socket."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

# In the environ of a request whose forwarded headers were removed: its caller is not the one it came from.
UNKNOWN_CALLER = "opsboard.unknown_caller"
HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class TrustedProxies:
    """WSGI middleware: applies the forwarded headers of a trusted peer and removes those of everybody else.

    `trusted` is `unix` (the peer has no address: it came by the unix socket), `none`, or addresses and networks
    with commas between.
    """

    def __init__(self, app: Any, trusted: str) -> None:
        self.app = app
        self._forwarded = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        words = [word.strip() for word in trusted.split(",") if word.strip()]
        self._unix = "unix" in words
        self._networks = [ipaddress.ip_network(word) for word in words if word not in ("unix", "none")]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Nothing to believe and nothing to remove. Written out: every cached answer passes here.
        if not (
            "HTTP_X_FORWARDED_FOR" in environ
            or "HTTP_X_FORWARDED_PROTO" in environ
            or "HTTP_X_FORWARDED_HOST" in environ
            or "HTTP_FORWARDED" in environ
        ):
            direct: Iterable[bytes] = self.app(environ, start_response)
            return direct
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            answer: Iterable[bytes] = self._forwarded(environ, start_response)
            return answer
        for header in HEADERS:
            environ.pop(header, None)
        environ[UNKNOWN_CALLER] = True
        answer = self.app(environ, start_response)
        return answer

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return self._unix
        if not self._networks:
            return False
        return any(ipaddress.ip_address(peer) in network for network in self._networks)
