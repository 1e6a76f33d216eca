"""When the certificate ends that clients get from PUBLIC_URL."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger(__name__)

PATIENCE = 3.0  # seconds
HAS_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def certificate_end(public_url: str, context: ssl.SSLContext | None = None) -> Callable[[], float | None]:
    """A function that returns the end of the certificate, in seconds since 1970; None where it cannot be told.

    An expired one ended at 0. Authorities of your own are found by SSL_CERT_FILE.
    """

    def look() -> float | None:
        parts = urlsplit(public_url)
        if parts.scheme != "https" or not parts.hostname:
            return None
        trusted = context or ssl.create_default_context()
        try:
            with (
                socket.create_connection((parts.hostname, parts.port or 443), PATIENCE) as plain,
                trusted.wrap_socket(plain, server_hostname=parts.hostname) as secure,
            ):
                found = secure.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            log.warning("the certificate of PUBLIC_URL is not valid", reason=error.verify_message)
            return 0.0 if error.verify_code == HAS_EXPIRED else None
        except OSError as error:
            log.info("the certificate of PUBLIC_URL cannot be read", reason=str(error))
            return None
        ends = found.get("notAfter")
        return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None

    return look
