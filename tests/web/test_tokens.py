"""Tokens: whatever is not exactly right is 401, without a connection; what has ended has ended on every worker."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import jwt
import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.application import SECRET, Application, running_application
from tests.seed import PASSWORD

NOW = int(time.time())


def claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": "opsboard", "aud": "opsboard", "sub": "1", "tid": 1, "role": "admin", "ver": 1, "jti": "x" * 16,
        "iat": NOW, "exp": NOW + 3600,
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value != "absent"}


def signed(
    key: str = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def raw(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    return f"{part(json.dumps(header).encode())}.{part(json.dumps(payload).encode())}.{part(signature)}"


def hand_made() -> Iterator[tuple[str, str]]:
    """Tokens that must all be refused, by what is wrong with them."""
    yield "alg none", raw({"alg": "none", "typ": "JWT"}, claims())
    yield "alg None", raw({"alg": "None"}, claims())
    yield "no alg", raw({"typ": "JWT"}, claims())
    yield "HS512", signed(algorithm="HS512")
    yield "HS384", signed(algorithm="HS384")
    yield "wrong key", signed(key="another secret that is long enough too")
    yield "empty signature", signed().rsplit(".", 1)[0] + "."
    yield "no signature", signed().rsplit(".", 1)[0]
    yield "jku", raw({"alg": "HS256", "jku": "https://evil.example/keys"}, claims(), b"x" * 32)
    yield "jwk", raw({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, claims(), b"x" * 32)
    yield "kid path", raw({"alg": "HS256", "kid": "../../dev/null"}, claims(), b"x" * 32)
    yield "too long", signed(jti="x" * 5000)
    yield "expired", signed(exp=NOW - 1)
    yield "not yet", signed(nbf=NOW + 86400)
    yield "issued in the future", signed(iat=NOW + 86400)
    for claim in ("exp", "iat", "iss", "aud", "sub", "jti", "tid", "role", "ver"):
        yield f"without {claim}", signed(**{claim: "absent"})
    for claim, values in {
        "exp": ["never", None, -1, 1e400, [], True], "aud": ["else", [], None], "iss": ["else", None],
        "sub": ["0", "-1", "x", "1 OR 1=1", str(2**70) + "x"], "tid": [0, -1, "1", None, 1.5, True, [1]],
        "role": ["root", "", None, 1, ["admin"]], "ver": [0, -1, "1", None, True],
    }.items():  # fmt: skip
        for value in values:
            if claim in ("sub", "iss") and not isinstance(value, str):
                continue  # PyJWT itself refuses to make it
            payload = {**claims(), claim: value}
            yield f"{claim}={value!r}", forged(payload)
    for text in ("", "x", "a.b", "a.b.c", "a.b.c.d", "..", "Bearer", "null", "%00", "🙂", "\u00e9" * 10):
        yield f"text {text!r}", text


def forged(payload: dict[str, Any]) -> str:
    """A rightly signed token with claims that PyJWT would not make."""
    import hmac

    unsigned = raw({"alg": "HS256", "typ": "JWT"}, payload).rsplit(".", 1)[0]
    signature = hmac.digest(SECRET.encode(), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def status_of(app: Application, token: str) -> int:
    header = f"Bearer {token}".encode().decode("latin-1")
    return app.flask.test_client().get("/api/auth/me", headers={"Authorization": header}).status_code


def test_hand_made_tokens_are_401_and_take_no_connection(app: Application) -> None:
    tokens = list(hand_made())
    assert len(tokens) > 60
    app.client().get("/api/auth/me")  # The change feed has begun
    before = app.services.database.pool.get_stats()["requests_num"]
    for what, token in tokens:
        assert status_of(app, token) == 401, what
    assert app.services.database.pool.get_stats()["requests_num"] == before


def test_the_forgery_itself_is_right_when_its_claims_are(app: Application) -> None:
    """Or the test above would see 401 for the wrong reason."""
    assert status_of(app, forged(claims(sub=str(admin_id(app)), tid=app.alpha.id))) == 200


def test_a_token_from_a_clock_that_is_a_little_ahead_is_good(app: Application) -> None:
    now = int(time.time())
    mine = {"sub": str(admin_id(app)), "tid": app.alpha.id}
    assert status_of(app, signed(**mine, iat=now + 2, nbf=now + 2)) == 200
    assert status_of(app, signed(**mine, iat=now + 30)) == 401


def admin_id(app: Application) -> int:
    return int(app.client().get("/api/auth/me").json["id"])  # type: ignore[index]


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 400), change=st.characters(codec="ascii", categories=["Lu", "Ll", "Nd"]))
def test_a_token_with_one_character_changed_is_401(app: Application, position: int, change: str) -> None:
    token = _token(app)
    position %= len(token)
    # The last character of base64 carries unused bits: two spellings may mean the same bytes.
    if token[position] == change or position == len(token) - 1 or token[position] == ".":
        return
    assert status_of(app, token[:position] + change + token[position + 1 :]) == 401


_tokens: dict[int, str] = {}


def _token(app: Application) -> str:
    return _tokens.setdefault(id(app), app.token())


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "bearer ", "Token x", ""])
def test_other_authorization_headers_are_401(app: Application, header: str) -> None:
    assert app.flask.test_client().get("/api/auth/me", headers={"Authorization": header}).status_code == 401


def test_a_remembered_token_still_expires(own_app: Application) -> None:
    token = own_app.token()
    assert status_of(own_app, token) == 200
    tokens = own_app.services.sign_in.tokens
    tokens.clock = lambda: time.time() + tokens.ttl + 1
    assert status_of(own_app, token) == 401


def test_sign_out_ends_the_token_here_at_once_and_on_another_worker_within_a_beat(
    own_app: Application,
) -> None:
    token, other_token = own_app.token(), own_app.token()
    with running_application(own_app.database, own_app.alpha, own_app.beta, pulse_ms=50) as worker:
        assert status_of(worker, token) == 200
        client = own_app.flask.test_client()
        assert (
            client.post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"}).status_code == 204
        )
        assert status_of(own_app, token) == 401
        assert ended_within_a_second(worker, token)
        assert status_of(worker, other_token) == status_of(own_app, other_token) == 200


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_a_changed_user_loses_their_tokens_on_every_worker(
    own_app: Application, change: dict[str, Any]
) -> None:
    token = own_app.token("operator")
    with running_application(own_app.database, own_app.alpha, own_app.beta, pulse_ms=50) as worker:
        me = worker.flask.test_client().get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json
        assert own_app.client().patch(f"/api/users/{me['id']}", json=change).status_code == 200  # type: ignore[index]
        assert ended_within_a_second(worker, token)
        assert ended_within_a_second(own_app, token)


@pytest.mark.parametrize(
    "removal",
    [
        "DELETE FROM users WHERE email = 'gone@alpha.example'",
        "DELETE FROM tenants WHERE slug = 'alpha'",
        "TRUNCATE users CASCADE",
        "UPDATE users SET tenant_id = 2 WHERE email = 'gone@alpha.example'",
    ],
)
def test_a_removed_user_loses_their_tokens_on_every_worker(own_app: Application, removal: str) -> None:
    as_superuser(own_app, ADD_GONE)
    token, other = token_of(own_app, "gone@alpha.example"), own_app.token("operator", own_app.beta)
    with running_application(own_app.database, own_app.alpha, own_app.beta, pulse_ms=50) as worker:
        assert status_of(worker, token) == status_of(own_app, token) == 200
        as_superuser(own_app, removal)
        assert ended_within_a_second(worker, token)
        assert ended_within_a_second(own_app, token)
        assert "TRUNCATE" in removal or status_of(worker, other) == 200


# Nothing refers to this user yet.
ADD_GONE = """
    INSERT INTO users (tenant_id, email, role, password_hash)
    SELECT tenant_id, 'gone@alpha.example', role, password_hash FROM users WHERE email = 'operator@alpha.example'
"""


def token_of(app: Application, email: str) -> str:
    answer = app.flask.test_client().post("/api/auth/login", json={"email": email, "password": PASSWORD})
    return str(answer.json["access_token"])  # type: ignore[index]


def as_superuser(app: Application, *statements: str) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def ended_within_a_second(worker: Application, token: str) -> bool:
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        if status_of(worker, token) == 401:
            return True
        time.sleep(0.01)
    return False


def test_a_worker_that_cannot_hear_asks_the_database_about_each_token(own_app: Application) -> None:
    token = own_app.token()
    with running_application(own_app.database, own_app.alpha, own_app.beta) as stale:
        assert status_of(stale, token) == 200
        stale.services.change_feed.pause()
        stale.services.sign_in.revocations.fresh_until = -math.inf
        own_app.flask.test_client().post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
        assert status_of(stale, token) == 401
        assert status_of(stale, own_app.token()) == 200


def test_sign_in_says_the_same_of_an_unknown_name_and_a_wrong_password(own_app: Application) -> None:
    client = own_app.flask.test_client()
    unknown = client.post("/api/auth/login", json={"email": "nobody@alpha.example", "password": "x"})
    wrong = client.post("/api/auth/login", json={"email": "admin@alpha.example", "password": "x"})
    without = client.post("/api/auth/login", json={"email": "w1@alpha.example", "password": "x"})
    answers = [{**answer.json, "request_id": ""} for answer in (unknown, wrong, without)]  # type: ignore[dict-item]
    assert answers[0] == answers[1] == answers[2]
    assert unknown.status_code == 401


def test_one_address_at_two_businesses_must_name_the_business(own_app: Application) -> None:
    import psycopg2

    with psycopg2.connect(own_app.database.superuser_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE users SET email = 'both@example.com' WHERE email LIKE 'admin@%'")
    connection.close()
    client = own_app.flask.test_client()
    both = {"email": "Both@Example.com", "password": "correct horse battery"}
    assert client.post("/api/auth/login", json=both).status_code == 409
    for business in (own_app.alpha, own_app.beta):
        token = client.post("/api/auth/login", json={**both, "tenant": business.slug}).json["access_token"]  # type: ignore[index]
        me = client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json
        assert me["tenant"]["slug"] == business.slug  # type: ignore[index]
    assert client.post("/api/auth/login", json={**both, "tenant": "gamma"}).status_code == 401
