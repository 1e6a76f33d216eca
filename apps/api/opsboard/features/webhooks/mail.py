"""Mail by SMTP: one message, one connection, within a time limit."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from opsboard.config import Config
from opsboard.features.webhooks.posting import Outcome, explained


@dataclass(frozen=True)
class Letter:
    """A mail of plain text. `id` stays the same when it is sent again, so that a mailbox can drop doubles."""

    to: str
    subject: str
    text: str
    id: str


class Mail:
    """Sends letters by the SMTP server of the settings."""

    def __init__(self, config: Config, timeout: float) -> None:
        self._config = config
        self._timeout = timeout

    def send(self, letter: Letter) -> Outcome:
        config = self._config
        if not config.smtp_host:
            return Outcome(False, error="SMTP_HOST is not set, so no mail is sent")
        message = self._message(letter)
        client: smtplib.SMTP | None = None
        watch = threading.Timer(self._timeout, lambda: cut(client))
        watch.daemon = True
        watch.start()
        try:
            client = self._connect()
            if config.smtp_user:
                client.login(config.smtp_user, config.smtp_password)
            client.send_message(message)
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            return Outcome(True, 250)
        except smtplib.SMTPRecipientsRefused as refusal:
            code, text = next(iter(refusal.recipients.values()))
            return refused(code, text)
        except smtplib.SMTPDataError as refusal:
            return refused(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPResponseException as refusal:
            return Outcome(False, refusal.smtp_code, explained(refusal))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Outcome(False, error=explained(error))
        finally:
            watch.cancel()
            if client is not None:
                client.close()

    def _connect(self) -> smtplib.SMTP:
        config = self._config
        where = (config.smtp_host, config.smtp_port)
        if config.smtp_tls == "tls":
            return smtplib.SMTP_SSL(*where, timeout=self._timeout, context=ssl.create_default_context())
        client = smtplib.SMTP(*where, timeout=self._timeout)
        if config.smtp_tls == "starttls":
            client.starttls(context=ssl.create_default_context())
        return client

    def _message(self, letter: Letter) -> EmailMessage:
        sender = self._config.mail_from
        message = EmailMessage()
        message["From"] = sender
        message["To"] = letter.to
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message


def refused(code: int, text: bytes | str) -> Outcome:
    """A refusal of the recipient or of the content; with 5xx it stays one."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Outcome(False, code, f"the mail server refused it: {said}"[:500], is_final=code >= 500)


def cut(client: smtplib.SMTP | None) -> None:
    """End what waits for the server, which is another thread."""
    sock = client.sock if client else None
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
