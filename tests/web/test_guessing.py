"""Guessing passwords is slowed down exactly, for all workers together, and never at the cost of the real user."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from opsboard.auth.attempts import FEWER, SPREAD, network_of
from opsboard.auth.password_thread import PasswordThread
from opsboard.db.queries import load_queries
from tests.application import Application, run, running_application
from tests.features.test_metrics import scraped, value
from tests.seed import PASSWORD
from tests.waiting import eventually

prune_sign_ins = load_queries("opsboard.fleet").prune_sign_ins
EMAIL = "admin@alpha.example"
LIMIT = 10
ATTACKER = "192.0.2.66"
HOME = "http://localhost"


def attempt(
    app: Application, password: str = "guess", address: str = ATTACKER, email: str = EMAIL
) -> TestResponse:
    return app.flask.test_client().post(
        "/api/auth/login",
        json={"email": email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )


@contextmanager
def cheap_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Counts the passwords that are checked, in place of checking them."""
    checked: list[str] = []

    def check(hashes: list[str | None], password: str) -> list[bool]:
        checked.append(password)
        return [password == PASSWORD for _ in hashes]

    monkeypatch.setattr("opsboard.auth.sign_in.passwords_fit", check)
    yield checked


def test_the_limit_is_exact_over_four_workers(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def worker() -> Any:
        return running_application(own_app.database, own_app.alpha, own_app.beta)

    with cheap_checks(monkeypatch) as checked, worker() as second, worker() as third, worker() as fourth:
        statuses: Counter[int] = Counter()

        def guess(app: Application) -> None:
            for _ in range(6):
                statuses[attempt(app).status_code] += 1

        threads = [
            threading.Thread(target=guess, args=(app,))
            for app in (own_app, second, third, fourth)
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(checked) == LIMIT
    assert statuses == {401: LIMIT, 429: 6 * 8 - LIMIT}


def test_retry_after_is_true(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    with cheap_checks(monkeypatch):
        for _ in range(LIMIT):
            attempt(own_app)
        refused = attempt(own_app, PASSWORD)
        assert refused.status_code == 429 and 290 < int(refused.headers["Retry-After"]) <= 300
        run(own_app, "UPDATE sign_in_attempts SET ends_at = ends_at - interval '200 seconds'")
        assert 90 < int(attempt(own_app, PASSWORD).headers["Retry-After"]) <= 100
        run(own_app, "UPDATE sign_in_attempts SET ends_at = ends_at - interval '100 seconds'")
        assert attempt(own_app, PASSWORD).status_code == 200


def test_an_account_cannot_be_locked_out_from_elsewhere(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cheap_checks(monkeypatch) as checked:
        for number in range(SPREAD + 20):
            for _ in range(LIMIT + 1):
                attempt(own_app, address=f"198.51.100.{number}")
        # Each of the first has its ten; later ones have two.
        assert len(checked) == SPREAD * LIMIT + 20 * FEWER
        assert attempt(own_app, PASSWORD, "203.0.113.9").status_code == 200
        for _ in range(FEWER - 1):
            assert attempt(own_app, "a typo", "203.0.113.10").status_code == 401
        assert attempt(own_app, PASSWORD, "203.0.113.10").status_code == 200


def test_a_known_device_has_attempts_of_its_own(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = own_app.flask.test_client()

    def from_browser(password: str, email: str = EMAIL) -> int:
        return browser.post(
            "/api/auth/login",
            json={"email": email, "password": password, "cookie": True},
            headers={"Origin": HOME},
            environ_overrides={"REMOTE_ADDR": ATTACKER},
        ).status_code

    with cheap_checks(monkeypatch):
        assert from_browser(PASSWORD) == 200
        for _ in range(LIMIT + 1):
            attempt(own_app)
        assert attempt(own_app, PASSWORD).status_code == 429
        assert from_browser(PASSWORD) == 200, "the same address, but a device that is known"
        assert [from_browser("typo") for _ in range(LIMIT + 1)] == [401] * LIMIT + [429]
        # The cookie is good for the accounts that signed in with it, and for no others.
        for _ in range(LIMIT):
            attempt(own_app, email="manager@alpha.example")
        assert from_browser(PASSWORD, "manager@alpha.example") == 429
        browser.set_cookie("opsboard_device", browser.get_cookie("opsboard_device").value + "x")  # type: ignore[union-attr]
        assert from_browser(PASSWORD) == 429


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::/64"), ("unix", "unix"),
    ],
)  # fmt: skip
def test_of_ipv6_a_network_is_one_place(address: str, place: str) -> None:
    assert network_of(address) == place


def test_sign_ins_are_noted_with_account_and_address(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with cheap_checks(monkeypatch):
        for _ in range(LIMIT):
            attempt(own_app)
        assert attempt(own_app, PASSWORD).status_code == attempt(own_app).status_code == 429
        signed_in = attempt(own_app, PASSWORD, "2001:db8::7")
        who = {"Authorization": f"Bearer {signed_in.json['access_token']}"}  # type: ignore[index]
        assert own_app.flask.test_client().post("/api/auth/logout", headers=who).status_code == 204
        attempt(own_app, email="nobody@nowhere.example\nforged line")
    entries = own_app.client().get("/api/audit?entity=user&sort=created_at").json["items"]  # type: ignore[index]
    assert Counter(entry["action"] for entry in entries) == {
        "sign_in_failed": LIMIT, "sign_in_refused": 1, "sign_in": 1, "sign_out": 1,
    }  # fmt: skip
    by_action = {entry["action"]: entry for entry in entries}
    assert by_action["sign_in"]["changes"] == {"account": [None, EMAIL], "address": [None, "2001:db8::7"]}
    assert by_action["sign_in_refused"]["changes"]["address"] == [None, ATTACKER]
    assert all(entry["request_id"] and entry["entity_id"] for entry in entries)
    samples = scraped(own_app)
    for outcome, number in (
        ("sign_in", 1),
        ("sign_in_failed", LIMIT + 1),
        ("sign_in_refused", 2),
        ("sign_out", 1),
    ):
        assert value(samples, "opsboard_sign_ins_total", outcome=outcome) == number


def test_a_lines_end_in_an_account_ends_no_line_of_the_log(own_app: Application) -> None:
    from opsboard.auth.journal import printable

    assert printable("a@b.example\nforged") == "'a@b.example\\nforged'"
    assert printable("käthe@b.example") == "käthe@b.example"


def test_what_has_ended_is_pruned(own_app: Application) -> None:
    run(
        own_app,
        "INSERT INTO sign_in_attempts (key, failures, ends_at) VALUES ('old', 1, now() - interval '1 hour')",
    )
    run(
        own_app,
        "INSERT INTO sign_in_attempts (key, failures, ends_at) VALUES ('new', 1, now() + interval '1 hour')",
    )
    run(
        own_app,
        "INSERT INTO revocations (tenant_id, user_id, token_id, expires_at) "
        "VALUES (999, 1, 'x', now() - interval '2 days')",
    )
    own_app.services.database.fetch_unbound(prune_sign_ins, {"most": 100})
    assert run(own_app, "SELECT key FROM sign_in_attempts") == [("new",)]
    assert run(own_app, "SELECT count(*) FROM revocations WHERE tenant_id = 999") == [(0,)]


@pytest.mark.parametrize("known", [0, 1, 2])
def test_as_many_passwords_are_checked_for_an_address_known_never_once_or_twice(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    from opsboard.auth import passwords

    run(
        own_app,
        f"UPDATE users SET email = 'both@example.com' WHERE email LIKE 'admin@%' AND tenant_id <= {known}",
    )
    checked: list[object] = []
    monkeypatch.setattr(passwords, "_verified", lambda stored, password: checked.append(stored) or False)
    assert attempt(own_app, "wrong", email="both@example.com").status_code == 401
    assert len(checked) == 2


def test_more_checks_at_once_than_may_be_are_refused_and_not_counted_as_wrong(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opsboard.auth import passwords

    busy = PasswordThread(most=1)
    monkeypatch.setattr(passwords, "_thread", busy)
    go_on = threading.Event()
    holder = threading.Thread(target=busy.run, args=(partial(go_on.wait, 60),))
    holder.start()
    eventually("the only place is taken", lambda: busy._places._value == 0)  # type: ignore[attr-defined]
    try:
        answer = attempt(own_app, PASSWORD)
        assert (answer.status_code, answer.json["code"]) == (503, "too_many_sign_ins")  # type: ignore[index]
        assert answer.headers["Retry-After"] == "1"
    finally:
        go_on.set()
        holder.join()
    eventually("it is free", lambda: busy._places._value == 1)  # type: ignore[attr-defined]
    assert attempt(own_app, PASSWORD).status_code == 200
