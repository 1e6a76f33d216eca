"""Through real nginx, with the site of deploy/, to real gunicorn with two workers and real Postgres."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_nginx
from tests.seed import PASSWORD
from tests.waiting import eventually


@pytest.fixture
def client(nginx: int) -> Client:
    return Client(nginx)


@pytest.fixture
def admin(nginx: int, people: list[Person]) -> Client:
    return Client(nginx, people[0].token)


def test_signs_in_and_shows_the_dashboard(client: Client, nginx: int) -> None:
    answer = client.post("/api/auth/login", {"email": "admin@alpha.example", "password": PASSWORD})
    assert answer.status == 200
    signed_in = Client(nginx, answer.json["access_token"])
    stats = signed_in.get("/api/dashboard/stats")
    assert stats.status == 200
    # Other tests of the package may have added jobs.
    assert stats.json["jobs"]["total"] == signed_in.get("/api/jobs").json["total"] >= 90
    assert client.get("/").headers["Content-Type"].startswith("text/html")


def test_an_answer_the_client_has_already_is_304_without_a_body(admin: Client) -> None:
    first = admin.get("/api/dashboard/stats")
    again = admin.get("/api/dashboard/stats", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_kept_answers_come_compressed_by_the_service_and_others_by_nginx(admin: Client) -> None:
    plain = admin.get("/api/jobs?page_size=50")
    assert "Content-Encoding" not in plain.headers
    for path in ("/api/jobs?page_size=50", "/api/openapi.json"):
        zipped = admin.get(path, Accept_Encoding="gzip")
        assert zipped.headers["Content-Encoding"] == "gzip", path
        assert zipped.json == admin.get(path).json
        assert "accept-encoding" in zipped.headers["Vary"].lower()


def test_a_forwarded_address_from_outside_does_not_get_in(client: Client) -> None:
    seen = client.get(
        "/probe",
        X_Forwarded_For="203.0.113.9",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example",
        Forwarded="for=203.0.113.9;proto=https;host=evil.example",
        X_Real_Ip="203.0.113.9",
    ).json
    assert seen["remote_addr"] == "127.0.0.1"
    assert seen["scheme"] == "http"
    assert seen["host"] == f"127.0.0.1:{client.connection.port}"


def test_a_connection_is_kept_and_serves_many_requests(client: Client) -> None:
    client.get("/api/health")
    port = client.connection.sock.getsockname()[1]
    for _ in range(20):
        assert client.get("/api/health").status == 200
    assert client.connection.sock.getsockname()[1] == port


def test_a_request_keeps_a_proper_id_and_gets_one_in_place_of_an_improper_one(client: Client) -> None:
    assert client.get("/api/health", X_Request_Id="deploy-test-1").headers["X-Request-Id"] == "deploy-test-1"
    given = client.get("/api/health", X_Request_Id="short").headers["X-Request-Id"]
    assert len(given) == 32
    problem = client.get("/api/nothing-here", X_Request_Id="deploy-test-2").json
    assert problem["request_id"] == "deploy-test-2"


@pytest.mark.parametrize("size", [1 << 20, 3 << 20])
def test_a_body_that_is_too_large_is_413_as_a_problem_document(
    nginx: int, people: list[Person], size: int
) -> None:
    admin = Client(nginx, people[0].token)
    padding = "x" * size  # with what stands around it, over 1 MiB
    answer = admin.post("/api/jobs", {"title": padding})
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["code"] == "body_too_large"
    assert problem["request_id"] == answer.headers.get("X-Request-Id", problem["request_id"])


def test_a_body_just_small_enough_reaches_the_service(admin: Client) -> None:
    answer = admin.post("/api/jobs", {"title": "x" * ((1 << 20) - 100)})
    assert answer.json["code"] == "invalid_input"


def test_health_is_never_kept_on_the_way(admin: Client) -> None:
    for path in ("/api/health", "/api/health/ready", "/api/health/db", "/health"):
        answer = admin.get(path)
        assert answer.status == 200, path
        assert answer.headers.get_all("Cache-Control") == ["no-store"], path  # type: ignore[attr-defined]


def test_the_service_believes_the_proxy_on_its_socket(gunicorn: Gunicorn) -> None:
    seen = gunicorn.client().get("/probe", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https").json
    assert (seen["remote_addr"], seen["scheme"]) == ("203.0.113.9", "https")


def test_the_files_of_the_page_are_kept_by_nginx(client: Client) -> None:
    page = client.get("/").body.decode()
    path = re.search(r'/static/[0-9a-f]{16}/[^"]+\.js', page)
    assert path is not None
    first = client.get(path[0], X_Request_Id="static-file-1")
    again = client.get(path[0], X_Request_Id="static-file-2")
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    # Only an answer that was kept has the server's times of the first.
    assert again.headers["Server-Timing"] == first.headers["Server-Timing"]
    assert again.headers.get_all("X-Request-Id") == ["static-file-2"]  # type: ignore[attr-defined]


def test_a_service_that_is_away_is_503_as_a_problem_document() -> None:
    with running_nginx(Path("/nonexistent/opsboard.sock")) as port:
        answer = Client(port).get("/api/health", X_Request_Id="deploy-test-3")
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "2"
    assert (answer.json["code"], answer.json["request_id"]) == ("service_unavailable", "deploy-test-3")


@pytest.mark.parametrize("away", [False, True])
def test_no_log_of_nginx_has_the_address_of_a_link(gunicorn: Gunicorn, tmp_path: Path, away: bool) -> None:
    token = f"WzEsMSwxXQ.{'x' * 43}"
    upstream = Path("/nonexistent/opsboard.sock") if away else gunicorn.socket
    with running_nginx(upstream, tmp_path) as port:
        client = Client(port)
        for path in (
            f"/status/{token}",
            f"/api/job-status/{token}",
            f"//status/{token}",
            f"/status/{token}?x=1",
        ):
            assert client.get(path).status == (503 if away else 404), path
        client.get("/api/jobs")
        logs = [tmp_path / "opsboard.access.log", tmp_path / "opsboard.error.log"]
        eventually("what comes after is in the log", lambda: "/api/jobs" in logs[0].read_text())
    assert ("/api/jobs" in logs[1].read_text()) == away
    assert not any("status/" in log.read_text() for log in logs)


def test_sign_in_is_slowed_for_one_address_and_nothing_else_is(gunicorn: Gunicorn) -> None:
    with running_nginx(gunicorn.socket) as port:
        client = Client(port)
        answers = [client.post("/api/auth/login", {}) for _ in range(30)]
        assert client.get("/api/health").status == 200
    statuses = [answer.status for answer in answers]
    assert 21 <= statuses.index(429) <= 23, "a burst of twenty, and one every two seconds"
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("too_many_attempts", "2")
