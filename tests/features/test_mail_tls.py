"""Mail goes only to a server that proves who it is, and neither it nor the password without encryption."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from opsboard.config import load_config
from opsboard.features.webhooks.mail import Letter, Mail
from opsboard.features.webhooks.posting import Outcome
from tests.features.test_certificate import key_and_certificate
from tests.features.test_mail import Mailbox, is_known, smtp_server

__all__ = ["key_and_certificate"]

SIGN_IN = {"SMTP_USER": "opsboard", "SMTP_PASSWORD": "word"}
TLS = ["starttls", "tls"]


@contextmanager
def secure_server(
    key: Path, certificate: Path, tls: str, **options: Any
) -> Iterator[tuple[Mailbox, dict[str, str]]]:
    """A server with a certificate of localhost that takes no mail without encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    how = {"ssl_context": context} if tls == "tls" else {"tls_context": context, "require_starttls": True}
    # Of encryption from the first byte on the server itself knows nothing: it would offer no sign-in.
    signing_in = {"authenticator": is_known, "auth_required": True, "auth_require_tls": tls == "starttls"}
    with smtp_server(**{**how, **signing_in, **options}) as (mailbox, settings):
        yield mailbox, {**settings, **SIGN_IN, "SMTP_HOST": "localhost", "SMTP_TLS": tls}


def send(settings: dict[str, str]) -> Outcome:
    config = load_config({**settings, "SECRET_KEY": "x" * 40}, None)
    return Mail(config, 30).send(Letter("a@shop.example", "A subject", "A text", "evt_1"))


def asked_to_sign_in() -> tuple[list[Any], Callable[..., AuthResult]]:
    """What an authenticator was asked, and the authenticator, which lets everybody in."""
    asked: list[Any] = []

    def authenticator(*given: Any) -> AuthResult:
        asked.append(given)
        return AuthResult(success=True)

    return asked, authenticator


@pytest.mark.parametrize("tls", TLS)
def test_a_server_with_a_valid_certificate_gets_the_mail(
    key_and_certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(key_and_certificate[1]))
    with secure_server(*key_and_certificate, tls) as (mailbox, settings):
        assert send(settings) == Outcome(True, 250)
    assert [mail["Subject"] for _, mail in mailbox.mails] == ["A subject"]


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("wrong", ["of an unknown authority", "of another name"])
def test_a_wrong_certificate_is_refused_before_anything_is_sent(
    key_and_certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tls: str, wrong: str
) -> None:
    asked, authenticator = asked_to_sign_in()
    with secure_server(*key_and_certificate, tls, authenticator=authenticator) as (mailbox, settings):
        if wrong == "of another name":
            monkeypatch.setenv("SSL_CERT_FILE", str(key_and_certificate[1]))
            settings["SMTP_HOST"] = "127.0.0.1"
        outcome = send(settings)
    assert not outcome.is_delivered and not outcome.is_final
    assert str(outcome.error).startswith("the certificate is not valid: ")
    assert mailbox.mails == [] and asked == []


def test_a_server_without_encryption_gets_neither_mail_nor_password() -> None:
    asked, authenticator = asked_to_sign_in()
    with smtp_server(authenticator=authenticator, auth_require_tls=False) as (mailbox, settings):
        outcome = send({**settings, **SIGN_IN, "SMTP_TLS": "starttls"})
    assert not outcome.is_delivered and "STARTTLS" in str(outcome.error)
    assert mailbox.mails == [] and asked == []
