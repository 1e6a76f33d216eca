"""The end of a certificate is read from a server that really has one."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from opsboard.features.health.certificate import certificate_end

DAY = 86_400


@pytest.fixture(scope="module")
def key_and_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of localhost, signed by itself, for 30 days."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


@contextmanager
def served(key: Path, certificate: Path) -> Iterator[int]:
    """The port of a server that shakes hands with everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with closing(socket.create_server(("localhost", 0))) as listening:

        def shake_hands() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    with suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                        secure.recv(1)

        threading.Thread(target=shake_hands, daemon=True).start()
        yield listening.getsockname()[1]


def test_the_end_is_that_of_the_certificate_clients_get(key_and_certificate: tuple[Path, Path]) -> None:
    trusted = ssl.create_default_context(cafile=str(key_and_certificate[1]))
    with served(*key_and_certificate) as port:
        ends = certificate_end(f"https://localhost:{port}", trusted)()
        assert ends is not None and 29 * DAY < ends - time.time() <= 30 * DAY + 60
        assert certificate_end(f"https://localhost:{port}")() is None, (
            "no authority that is known here signed it"
        )


def test_where_there_is_no_certificate_nothing_is_known() -> None:
    assert certificate_end("http://localhost")() is None
    with closing(socket.create_server(("localhost", 0))) as listening:
        port = listening.getsockname()[1]
    assert certificate_end(f"https://localhost:{port}")() is None
