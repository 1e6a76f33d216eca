"""The page's cookie: HttpOnly, same site, and good for writes from the page itself only."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.application import Application
from tests.seed import PASSWORD

HOME = "http://localhost"


def sign_in(app: Application) -> FlaskClient:
    client = app.flask.test_client()
    body = {"email": "admin@alpha.example", "password": PASSWORD, "cookie": True}
    answer = client.post("/api/auth/login", json=body, headers={"Origin": HOME})
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    return client


def test_the_cookie_reads_and_the_page_itself_writes(app: Application) -> None:
    client = sign_in(app)
    assert client.get("/api/auth/me").status_code == 200
    assert client.post("/api/notifications/read", headers={"Origin": HOME}).status_code == 200
    assert (
        client.post("/api/notifications/read", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    )


def test_another_site_cannot_write_with_the_cookie(app: Application) -> None:
    client = sign_in(app)
    for headers in (
        {}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"}, {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    ):  # fmt: skip
        answer = client.post("/api/notifications/read", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), headers  # type: ignore[index]


def test_a_bearer_token_needs_no_origin(app: Application) -> None:
    assert app.client().post("/api/notifications/read").status_code == 200


def test_the_cookie_is_given_to_the_page_only(app: Application) -> None:
    body = {"email": "admin@alpha.example", "password": PASSWORD, "cookie": True}
    answer = app.flask.test_client().post(
        "/api/auth/login", json=body, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_sign_out_takes_the_cookie_away(own_app: Application) -> None:
    client = sign_in(own_app)
    assert client.post("/api/auth/logout", headers={"Origin": HOME}).status_code == 204
    assert client.get("/api/auth/me").status_code == 401


def test_over_https_the_cookie_is_secure(app: Application) -> None:
    body = {"email": "admin@alpha.example", "password": PASSWORD, "cookie": True}
    answer = app.flask.test_client().post(
        "/api/auth/login", json=body, headers={"Origin": "https://localhost"}, base_url="https://localhost"
    )
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-opsboard_") and "Secure" in cookie and "Path=/" in cookie
        assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_over_https_a_cookie_that_another_host_could_set_is_not_looked_at(app: Application) -> None:
    client = app.flask.test_client()
    client.set_cookie("opsboard_token", app.token())
    assert client.get("/api/auth/me").status_code == 200
    assert client.get("/api/auth/me", base_url="https://localhost").status_code == 401
    client.set_cookie("__Host-opsboard_token", app.token())
    assert client.get("/api/auth/me", base_url="https://localhost").status_code == 200


def test_a_page_of_the_same_host_by_another_scheme_is_another_site(app: Application) -> None:
    client = app.flask.test_client()
    client.set_cookie("__Host-opsboard_token", app.token())
    for origin, status in (
        ("http://localhost", 403),
        ("https://localhost", 200),
        ("https://localhost:444", 403),
    ):
        answer = client.post(
            "/api/notifications/read", headers={"Origin": origin}, base_url="https://localhost"
        )
        assert answer.status_code == status, origin
