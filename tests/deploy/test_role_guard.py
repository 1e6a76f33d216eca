"""In production no request is served before the database role has proved safe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

import opsboard
from opsboard.config import load_config
from opsboard.web.role_guard import guard_role
from tests.application import SECRET
from tests.clusters import FreshDatabase


@pytest.fixture
def app(database: FreshDatabase) -> Iterator[APIFlask]:
    """A production application whose role is the owner of the tables."""
    settings = {"OPSBOARD_ENV": "production", "SECRET_KEY": SECRET, "DATABASE_URL": database.owner_url}
    app = opsboard.create_app(load_config(settings, None).with_values(log_level="error"))
    guard_role(app)
    yield app
    app.extensions["opsboard"].change_feed.stop()
    app.extensions["opsboard"].database.pool.closeall()


def test_nothing_but_the_sign_of_life_is_served_as_an_unsafe_role(app: APIFlask) -> None:
    client = app.test_client()
    with capture_logs() as events:
        check_refusals(client)
    (told,) = [event for event in events if event["event"] == "refusing to serve"]
    assert (told["log_level"], told["setting"]) == ("critical", "DATABASE_URL")
    assert any("opsboard_owner owns" in reason for reason in told["reasons"])


def check_refusals(client: FlaskClient) -> None:
    for path in ("/api/health", "/health"):
        assert client.get(path).status_code == 200
    for path in ("/api/health/ready", "/health/ready", "/api/dashboard/stats", "/", "/api/nothing"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["code"]) == (503, "unsafe_database_role"), path  # type: ignore[index]
        assert answer.headers["Retry-After"] == "10"
        assert "opsboard_owner" not in answer.get_data(as_text=True)
    signing_in = client.post("/api/auth/login", json={"email": "a@b.example", "password": "x"})
    assert signing_in.status_code == 503


def test_serves_as_soon_as_the_role_is_mended(app: APIFlask, database: FreshDatabase) -> None:
    guard = app.extensions["opsboard_role_guard"]
    client = app.test_client()
    assert client.get("/").status_code == client.get("/api/health/ready").status_code == 503
    mended = opsboard.create_app(
        load_config({"SECRET_KEY": SECRET, "DATABASE_URL": database.app_url}, None).with_values(
            log_level="error"
        )
    )
    pool = mended.extensions["opsboard"].database.pool
    guard._database = mended.extensions["opsboard"].database
    try:
        assert client.get("/").status_code == 200
        asked = pool.get_stats()["requests_num"]
        assert client.get("/").status_code == 200
        assert pool.get_stats()["requests_num"] == asked, "the role is looked at once, not at every request"
    finally:
        pool.closeall()


def test_a_development_application_has_no_guard(database: FreshDatabase) -> None:
    app = opsboard.create_app(load_config({"SECRET_KEY": SECRET, "DATABASE_URL": database.owner_url}, None))
    guard_role(app)
    assert app.test_client().get("/api/health/ready").status_code == 200
    app.extensions["opsboard"].database.pool.closeall()
