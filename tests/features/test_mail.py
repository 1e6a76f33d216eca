"""Mail by SMTP: invitations, reset links and events, to a real server."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from opsboard.config import load_config
from opsboard.db.embedded import Cluster
from opsboard.errors import ConfigError
from opsboard.features.webhooks.mail import Letter, Mail
from tests.application import Application
from tests.features.receivers import (
    application_for_webhooks,
    deliverer,
    forget_webhooks,
    let_time_pass,
    new_job,
    register,
    retitle,
)
from tests.features.test_work import run
from tests.seed import Business

SENT_BY = "opsboard@ops.example"


class Mailbox:
    """Keeps what it gets; refuses recipients whose name says how."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.is_ill = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        if address.startswith("greylisted@"):
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.is_ill:
            return "451 out of room"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"


def is_known(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    known = isinstance(auth, LoginPassword) and (auth.login, auth.password) == (b"opsboard", b"word")
    return AuthResult(success=known)


class BoundController(Controller):
    """Listens on a port that the system has chosen."""

    def __init__(self, mailbox: Mailbox, **options: Any) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        super().__init__(mailbox, hostname="127.0.0.1", port=self._listening.getsockname()[1], **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


@contextmanager
def smtp_server(**options: Any) -> Iterator[tuple[Mailbox, dict[str, str]]]:
    """A server on a free port, and the settings that name it."""
    mailbox = Mailbox()
    controller = BoundController(mailbox, **options)
    controller.start()
    try:
        yield (
            mailbox,
            {
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(controller.port),
                "SMTP_TLS": "none",
                "MAIL_FROM": SENT_BY,
                "PUBLIC_URL": "https://ops.example",
                "DIGEST_HOUR": "23",
            },
        )
    finally:
        controller.stop(no_assert=True)


@pytest.fixture(scope="module")
def shared_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    settings = {"smtp_host": "mail.example", "mail_from": SENT_BY, "public_url": "https://ops.example"}
    with application_for_webhooks(cluster, seeded, **settings) as application:
        yield application


@pytest.fixture
def app(shared_app: Application) -> Application:
    forget_webhooks(shared_app)
    return shared_app


def invite(app: Application, email: str) -> Any:
    given = {"email": email, "full_name": "Grace Hopper", "role": "operator"}
    answer = app.client().post("/api/users", json=given)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_an_invitation_comes_by_mail_with_the_link_of_the_answer(app: Application) -> None:
    user = invite(app, "grace@shop.example")
    (row,) = run(app, "SELECT d::text FROM deliveries AS d")
    token = user["invitation"]["token"]
    assert token not in row[0] and "grace" not in row[0]
    with smtp_server() as (mailbox, settings):
        assert deliverer(app, **settings).run_once()["delivered"] == 1
    ((recipients, mail),) = mailbox.mails
    assert recipients == ["grace@shop.example"] and mail["From"] == SENT_BY
    link = re.search(r"https://\S+", text_of(mail))
    assert link and link[0] == user["invitation"]["url"]
    accepted = app.client(None).post(
        "/api/auth/password-link/accept", json={"token": token, "password": "tall trees in march"}
    )
    assert accepted.status_code in (200, 404), accepted.get_data(as_text=True)
    log: Any = app.client().get("/api/webhooks/deliveries").json
    assert (log["items"][0]["event_type"], log["items"][0]["webhook"]) == ("letter.invitation", None)


def test_a_reset_link_that_is_replaced_before_it_is_sent_is_not_sent(app: Application) -> None:
    (user,) = run(app, "SELECT max(id) FROM users WHERE tenant_id = %s AND is_active", app.alpha.id)[0]
    links = [app.client().post(f"/api/users/{user}/password-link").json for _ in range(2)]
    with smtp_server() as (mailbox, settings):
        assert deliverer(app, **settings).run_once() == {"delivered": 1, "waiting": 0, "failed": 1}
    ((_, mail),) = mailbox.mails
    assert links[1]["url"] in text_of(mail) and "Set a new password" in mail["Subject"]  # type: ignore[index]


def test_without_a_mail_server_no_letter_is_written(own_app: Application) -> None:
    before = run(own_app, "SELECT count(*) FROM deliveries")
    invite(own_app, "ada@shop.example")
    assert run(own_app, "SELECT count(*) FROM deliveries") == before


def test_events_go_to_an_address_in_order(app: Application) -> None:
    register(app, "mailto:office@shop.example")
    with smtp_server() as (mailbox, settings):
        mailbox.is_ill = True
        job = new_job(app, "one")
        retitle(app, job, "two")
        assert deliverer(app, **settings).run_once() == {"delivered": 0, "waiting": 1, "failed": 0}
        mailbox.is_ill = False
        let_time_pass(app)
        assert deliverer(app, **settings).run_once()["delivered"] == 2
    subjects = [mail["Subject"] for _, mail in mailbox.mails]
    assert subjects == [f"[Opsboard] job created ({job})", f"[Opsboard] job updated ({job})"]
    assert "title: one -> two" in text_of(mailbox.mails[1][1])
    assert len({mail["Message-ID"] for _, mail in mailbox.mails}) == 2


def test_the_digest_by_mail_has_the_figures_of_the_board(app: Application) -> None:
    register(app, "mailto:office@shop.example", events=["board.digest"])
    with smtp_server() as (mailbox, settings):
        deliverer(app, **{**settings, "DIGEST_HOUR": "0"}).run_once()
    board: Any = app.client().get("/api/dashboard/stats").json
    ((_, mail),) = mailbox.mails
    assert f"jobs total: {board['jobs']['total']}" in text_of(mail)


def test_a_refused_recipient_is_given_up_and_a_busy_server_tried_again(app: Application) -> None:
    for name in ("nobody", "greylisted"):
        register(app, f"mailto:{name}@shop.example")
    new_job(app)
    with smtp_server() as (_, settings):
        assert deliverer(app, **settings).run_once() == {"delivered": 0, "waiting": 1, "failed": 1}
    errors = run(app, "SELECT last_status, last_error FROM deliveries ORDER BY id")
    assert errors[0] == (550, "the mail server refused it: no such mailbox") and errors[1][0] == 450


def test_a_server_that_is_away_loses_nothing(app: Application) -> None:
    register(app, "mailto:office@shop.example")
    new_job(app)
    with smtp_server() as (_, settings):
        pass
    assert deliverer(app, **settings).run_once()["waiting"] == 1
    with smtp_server() as (mailbox, settings):
        let_time_pass(app)
        assert deliverer(app, **settings).run_once()["delivered"] == 1
    assert len(mailbox.mails) == 1


def test_a_user_signs_in_to_the_server_and_the_password_may_be_in_a_file(
    app: Application, tmp_path: Any
) -> None:
    register(app, "mailto:office@shop.example")
    new_job(app)
    secret = tmp_path / "password"
    secret.write_text("word\n")
    options = {"authenticator": is_known, "auth_required": True, "auth_require_tls": False}
    with smtp_server(**options) as (mailbox, settings):
        given = {**settings, "SMTP_USER": "opsboard"}
        assert deliverer(app, **given, SMTP_PASSWORD="wrong").run_once()["waiting"] == 1
        let_time_pass(app)
        assert deliverer(app, **given, SMTP_PASSWORD_FILE=str(secret)).run_once()["delivered"] == 1
    assert len(mailbox.mails) == 1


def test_a_title_with_a_line_break_adds_no_header(app: Application) -> None:
    with smtp_server() as (mailbox, settings):
        config = load_config({**settings, "SECRET_KEY": "x" * 40}, None)
        outcome = Mail(config, 5).send(
            Letter("a@shop.example", "one\r\nBcc: b@shop.example", "text", "evt_1")
        )
    assert outcome.is_delivered
    ((recipients, mail),) = mailbox.mails
    assert recipients == ["a@shop.example"] and mail["Bcc"] is None


def test_a_mail_server_needs_a_sender_and_the_address_of_the_service() -> None:
    with pytest.raises(ConfigError) as error:
        load_config({"SMTP_HOST": "mail.example"}, None)
    assert "MAIL_FROM" in str(error.value.detail) and "PUBLIC_URL" in str(error.value.detail)
