"""One rule for gzip, ETags and 304 in every answer: fast path, application, pages and their files."""

from __future__ import annotations

import pytest

from opsboard.cache.body import Body
from opsboard.web.representation import represent
from tests.application import Application

LARGE = Body(b'{"text": "' + b"x" * 2000 + b'"}')
SMALL = Body(b'{"a": 1}')
ZIPPED = ["gzip", "gzip, br", "*", "gzip;q=0.1", "GZIP"]
PLAIN = [None, "", "br", "identity", "gzip;q=0", "*;q=0"]


@pytest.mark.parametrize("accepted", ZIPPED)
def test_a_large_body_is_compressed_for_those_who_accept_it(accepted: str) -> None:
    chosen = represent(LARGE, accepted, None)
    headers = dict(chosen.headers)
    assert (chosen.status, chosen.content, chosen.part) == (200, LARGE.gzipped, "gzipped")
    assert headers["Content-Encoding"] == "gzip" and headers["ETag"] == LARGE.gzip_etag
    assert headers["Content-Length"] == str(len(LARGE.gzipped or b""))


@pytest.mark.parametrize("accepted", PLAIN)
def test_others_get_it_as_it_is(accepted: str | None) -> None:
    chosen = represent(LARGE, accepted, None)
    headers = dict(chosen.headers)
    assert (chosen.status, chosen.content, chosen.part) == (200, LARGE.identity, "identity")
    assert "Content-Encoding" not in headers and headers["ETag"] == LARGE.etag
    assert headers["Content-Length"] == str(len(LARGE.identity))


def test_a_small_body_is_never_compressed() -> None:
    assert represent(SMALL, "gzip", None).content == SMALL.identity


@pytest.mark.parametrize("known", [LARGE.etag, LARGE.gzip_etag, f"W/{LARGE.etag}", "*", f'"x", {LARGE.etag}'])
@pytest.mark.parametrize("accepted", [None, "gzip"])
def test_a_client_that_has_the_body_gets_no_bytes(known: str, accepted: str | None) -> None:
    chosen = represent(LARGE, accepted, known)
    headers = dict(chosen.headers)
    assert (chosen.status, chosen.content) == (304, None)
    assert headers.keys() == {"ETag", "Cache-Control", "Vary"}
    assert headers["ETag"] == (LARGE.gzip_etag if accepted else LARGE.etag)


def test_every_way_to_answer_follows_it(app: Application) -> None:
    client = app.client()
    checked = 0
    for path in (
        "/api/dashboard/stats",
        "/api/dashboard/stats",
        "/api/auth/me",
        "/",
        "/docs",
        "/docs/jobs",
        "/static/app.js",
    ):
        whole = client.get(path)
        body = Body(whole.data)
        for accepted in [*ZIPPED, *PLAIN]:
            for known in (None, body.etag, body.gzip_etag):
                headers = {"Accept-Encoding": accepted, "If-None-Match": known}
                answer = client.get(path, headers={name: sent for name, sent in headers.items() if sent})
                chosen = represent(body, accepted, known)
                expected = dict(chosen.headers)
                assert (answer.status_code, answer.data) == (chosen.status, chosen.content or b""), (
                    path,
                    headers,
                )
                for name in ("ETag", "Content-Encoding", "Content-Length"):
                    assert answer.headers.get(name) == expected.get(name), (path, headers, name)
                assert "Accept-Encoding" in answer.headers["Vary"]
                checked += 1
    assert checked == 7 * 11 * 3
