"""One POST to a receiver: to a checked address, within a time limit, without following redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsboard.features.webhooks.addresses import AddressRefused, Network, resolve

SHOWN = 500  # bytes of an answer that the log keeps


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt. `is_final`: another attempt would have the same result."""

    is_delivered: bool
    status: int | None = None
    error: str | None = None
    response: str | None = None
    is_final: bool = False


class CheckedConnection(http.client.HTTPConnection):
    """Connects to one of the addresses that were checked; the name in the URL is for TLS and the Host header alone."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], context: ssl.SSLContext | None, until: float
    ):
        super().__init__(host, port)
        self._addresses = addresses
        self._context = context
        self._until = until

    def connect(self) -> None:
        problem: OSError | None = None
        for address in self._addresses:
            try:
                self.sock = socket.create_connection((address, self.port), self._left())
                break
            except OSError as error:
                problem = error
        else:
            raise problem or OSError("no address")
        self.sock.settimeout(self._left())
        if self._context:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError()
        return left

    def cut(self) -> None:
        """End what waits on the socket, which may be another thread. Not SSLSocket's own method, which is not safe."""
        if self.sock is not None:
            with suppress(OSError):  # it may have ended already
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def post(
    url: str, headers: Mapping[str, str], body: bytes, allowed: Sequence[Network], timeout: float
) -> Outcome:
    """Send the body; everything together takes no longer than `timeout` seconds, whatever the receiver does."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    until = time.monotonic() + timeout
    try:
        addresses = resolve(host, port, allowed, is_secure)
    except AddressRefused as refusal:
        return Outcome(False, error=str(refusal))
    except OSError as error:
        return Outcome(False, error=f"{host} cannot be resolved ({error.strerror or error})")
    context = ssl.create_default_context() if is_secure else None
    connection = CheckedConnection(host, port, addresses, context, until)
    # Timeouts of a socket are for each read; a receiver that sends a byte now and then would never reach them.
    watch = threading.Timer(max(0.0, until - time.monotonic()), connection.cut)
    watch.daemon = True
    watch.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return judged(answer.status, answer.read(SHOWN))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= until:
            return Outcome(False, error=f"no answer within {timeout:g} s")
        return Outcome(False, error=explained(error))
    finally:
        watch.cancel()
        connection.close()


def judged(status: int, body: bytes) -> Outcome:
    """An answer in the 200s is a receipt; any other is none."""
    response = body.decode("utf-8", "replace").replace("\0", "") or None
    if 200 <= status < 300:
        return Outcome(True, status, response=response)
    error = "redirects are not followed" if 300 <= status < 400 else f"the receiver answered {status}"
    return Outcome(False, status, error, response)


def explained(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return f"{type(error).__name__}: {error}"[:500]
