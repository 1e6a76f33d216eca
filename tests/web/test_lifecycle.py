"""Steps around every request: ids, headers and cleanup."""

from __future__ import annotations

import pytest
import structlog
from structlog.testing import capture_logs

from opsboard.observability.logs import configure_logs
from opsboard.web.access import open_to_all
from opsboard.web.services import services
from tests.application import Application


def test_a_connection_that_a_view_forgot_is_taken_back(own_app: Application) -> None:
    kept = []

    @open_to_all
    def forgetful() -> str:
        kept.append(services().database.pool.getconn())
        return "forgot"

    own_app.flask.add_url_rule("/forgetful", view_func=forgetful)
    for _ in range(30):  # three times as many as there are connections
        assert own_app.flask.test_client().get("/forgetful").status_code == 200
    assert services_of(own_app) == 0


def test_the_log_has_statements_and_outcome_of_the_cache_of_each_request(own_app: Application) -> None:
    client, before = own_app.client(), structlog.get_config()
    configure_logs("info", "text")
    try:
        with capture_logs() as lines:
            client.get("/api/customers")
            client.get("/api/jobs/1")
            client.post("/api/customers", json={"name": "one more"})
    finally:
        structlog.configure(**before)
    told = [(line["path"], line["queries"], line["cache"]) for line in lines if line["event"] == "request"]
    assert [path for path, *_ in told] == ["/api/customers", "/api/jobs/1", "/api/customers"]
    assert told[0][1:] == (1, "MISS") and told[2][2] == "BYPASS"
    assert all(1 <= queries <= 2 for _, queries, _ in told)


def services_of(app: Application) -> int:
    return app.services.database.pool.reference_stats()["in_use"]


def test_a_good_request_id_is_kept_and_any_other_replaced(app: Application) -> None:
    client = app.flask.test_client()
    assert (
        client.get("/api/health", headers={"X-Request-Id": "abc.DEF-123_4"}).headers["X-Request-Id"]
        == "abc.DEF-123_4"
    )
    for bad in ("short", "x" * 65, "with space", "new\tline", "<script>", "é" * 10):
        made = client.get("/api/health", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad and made.isalnum(), bad


@pytest.mark.parametrize("path", ["/", "/docs", "/api/health", "/api/jobs", "/nowhere", "/static/nothing.js"])
def test_every_answer_has_the_security_headers(app: Application, path: str) -> None:
    headers = app.flask.test_client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http:" not in policy


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        ("unix", "", True), ("unix", "192.0.2.9", False), ("none", "", False), ("192.0.2.0/24", "192.0.2.9", True),
        ("192.0.2.0/24", "198.51.100.1", False), ("192.0.2.0/24", "", False),
    ],
)  # fmt: skip
def test_forwarded_headers_are_believed_of_trusted_peers_only(
    trusted: str, peer: str, believed: bool
) -> None:
    from opsboard.web.proxies import TrustedProxies

    seen = {}

    def app(environ: dict[str, str], start_response: object) -> list[bytes]:
        seen.update(environ)
        return []

    environ = {
        "REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.5", "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "ops.example", "wsgi.url_scheme": "http", "HTTP_HOST": "inside",
    }  # fmt: skip
    TrustedProxies(app, trusted)(environ, None)
    expected = ("203.0.113.5", "https", "ops.example") if believed else (peer, "http", "inside")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == expected
    if not believed:
        assert "HTTP_X_FORWARDED_FOR" not in seen
