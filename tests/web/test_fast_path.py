"""The fast path gives the answers of the slow path; it passes on everything it cannot answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opsboard.db.server_status import ServerStatus
from opsboard.web.proxies import HEADERS, UNKNOWN_CALLER, TrustedProxies
from tests.application import Application
from tests.web.test_cached_routes import CACHED, requests_of, second_admin
from tests.web.ways import Ways, bearer, comparable, cookie

STATS = "/api/dashboard/stats"
RECENT = "/api/dashboard/recent-jobs"
PATHS = (*CACHED, f"{RECENT}?limit=3", "/api/dashboard/chart/jobs-by-month?months=3")


@pytest.fixture
def ways(own_app: Application) -> Ways:
    return Ways(own_app)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("credentials", [bearer, cookie])
def test_every_answer_of_the_fast_path_is_that_of_the_slow_path(
    ways: Ways, credentials: Callable[[str], dict[str, str]], scheme: str
) -> None:
    now = time.monotonic()
    ways.app.services.store.clock = lambda: now
    who = credentials(ways.app.token())
    how: dict[str, Any] = {"base_url": f"{scheme}://opsboard.example"}
    compared = set()
    for path in PATHS:
        etag = ways.ask(path, headers=who, **how).headers["ETag"]
        now += 12.7  # so that there is an age to compare
        for more in (
            {}, {"Accept-Encoding": "gzip, deflate, br"}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "*"},
            {"If-None-Match": etag}, {"If-None-Match": f'W/"x", {etag}', "Accept-Encoding": "gzip"},
            {"If-None-Match": '"other"'}, {"X-Request-Id": "given-by-the-caller"}, {"X-Request-Id": "<bad>"},
            {"Range": "bytes=0-9"}, {"Accept": "text/html"}, {"Cache-Control": "no-cache"}, {"Host": "a,b"},
        ):  # fmt: skip
            for method in ("GET", "HEAD"):
                short = ways.ask_fast(path, method, headers={**who, **more}, **how)
                long = ways.ask_slow(path, method, headers={**who, **more}, **how)
                assert comparable(short) == comparable(long), (method, path, more)
                compared.add((short.status_code, short.headers.get("Content-Encoding"), len(short.data) > 0))
    assert compared == {
        (200, None, True), (200, "gzip", True), (304, None, False), (200, None, False), (200, "gzip", False)
    }  # fmt: skip


def test_a_given_id_comes_back_and_made_ones_differ(ways: Ways) -> None:
    who = bearer(ways.app.token())
    ways.ask(STATS, headers=who)
    given = {**who, "X-Request-Id": "given-by-the-caller"}
    assert ways.ask_fast(STATS, headers=given).headers["X-Request-Id"] == "given-by-the-caller"
    assert len({ways.ask_fast(STATS, headers=who).headers["X-Request-Id"] for _ in range(50)}) == 50


def test_the_gzipd_answer_of_the_fast_path_has_the_same_content(ways: Ways) -> None:
    who = bearer(ways.app.token())
    plain = ways.ask(STATS, headers=who)
    zipped = ways.ask_fast(STATS, headers={**who, "Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.data) == plain.data


def test_the_fast_path_takes_no_connection_and_every_answer_counts_as_one_hit(ways: Ways) -> None:
    who = bearer(ways.app.token())
    for path in CACHED:
        etag = ways.ask(path, headers=who).headers["ETag"]
        taken, before = requests_of(ways.app), counts(ways)
        for more in ({}, {"If-None-Match": etag}, {"Accept-Encoding": "gzip"}):
            answer = ways.ask_fast(path, headers={**who, **more})
            assert (answer.headers["X-Cache"], answer.headers["X-Queries"]) == ("HIT", "0")
        assert requests_of(ways.app) == taken
        assert counts(ways) == (before[0] + 3, before[1])


def counts(ways: Ways) -> tuple[int, int]:
    stats = ways.app.services.store.stats()
    return stats["hits"], stats["misses"]


def test_answers_are_tallied_by_status_as_on_the_slow_path(ways: Ways) -> None:
    who = bearer(ways.app.token())
    etag = ways.ask(STATS, headers=who).headers["ETag"]
    tally = ways.app.services.tally
    for ask in (ways.ask_fast, ways.ask_slow):
        before = tally.counts()
        for more in ({}, {}, {"If-None-Match": etag}):
            ask(STATS, headers={**who, **more})
        after = tally.counts()
        assert {name: after[name] - before[name] for name in ("requests", "2xx", "3xx", "4xx")} == {
            "requests": 3, "2xx": 2, "3xx": 1, "4xx": 0
        }  # fmt: skip


def test_what_the_fast_path_answers_is_marked_as_used(ways: Ways) -> None:
    who = bearer(ways.app.token())
    for path in (STATS, RECENT):
        ways.ask(path, headers=who)
    ways.ask_fast(STATS, headers=who)
    used = {
        request[0]: remembered.used for request, remembered in ways.fast_path.remembered._requests.items()
    }
    assert used == {STATS: True, RECENT: False}


def test_hits_are_counted_exactly_under_32_threads(ways: Ways) -> None:
    who = [bearer(ways.app.token()), cookie(ways.app.token("operator"))]
    for path in CACHED:
        for headers in who:
            ways.ask(path, headers=headers)
    hits, misses = counts(ways)
    asked = ways.asked

    def ask(number: int) -> int:
        return sum(
            ways.ask(path, headers=who[number % 2]).status_code == 200 for _ in range(10) for path in CACHED
        )

    with ThreadPoolExecutor(32) as threads:
        assert sum(threads.map(ask, range(32))) == 32 * 40
    assert counts(ways) == (hits + 32 * 40, misses)
    assert ways.asked == asked


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"method": "POST"}, 405), ({"method": "OPTIONS"}, 200), ({"method": "DELETE"}, 405),
        ({"path": f"{STATS}?x=1"}, 400), ({"path": f"{STATS}/"}, 404), ({"path": "/api/dashboard/Stats"}, 404),
        ({"headers": {}}, 401), ({"headers": {"Authorization": "Bearer x"}}, 401),
        ({"more": {"Upgrade": "websocket", "Connection": "Upgrade"}}, 400),
        ({"environ_overrides": {"wsgi.url_scheme": "ws"}}, 400),
    ],
)  # fmt: skip
def test_whatever_is_not_a_plain_read_of_a_known_caller_goes_the_slow_path(
    ways: Ways, change: dict[str, Any], status: int
) -> None:
    who = bearer(ways.app.token())
    ways.ask(STATS, headers=who)
    ways.ask_fast(STATS, headers=who)
    more = change.pop("more", {})
    for _ in range(2):  # what is refused is not learned either
        how = {"headers": {**who, **more}, **{name: of for name, of in change.items() if name != "path"}}
        answer = ways.goes_long(change.get("path", STATS), **how)
        assert answer is not None and answer.status_code == status
    ways.ask_fast(STATS, headers=who)


def test_a_token_is_good_only_in_the_header_it_was_seen_in(ways: Ways) -> None:
    token = ways.app.token()
    for credentials in (bearer(token), cookie(token)):
        ways.ask(STATS, headers=credentials)
        ways.ask_fast(STATS, headers=credentials)
    as_cookie, as_bearer = cookie(token)["Cookie"], bearer(token)["Authorization"]
    for wrong in (
        {"Cookie": as_bearer}, {"Authorization": as_cookie}, {"Authorization": token}, {"Cookie": token},
        {"Authorization": "Basic YTpi", "Cookie": as_cookie}, {"Authorization": "", "Cookie": as_cookie},
        {"Authorization": f"{as_bearer}, x"}, {"Authorization": as_bearer[:-2]},
    ):  # fmt: skip
        answer = ways.goes_long(STATS, headers=wrong)
        assert answer is not None and answer.status_code == 401, wrong
    assert token not in repr(list(ways.fast_path.remembered._requests))


def test_nobody_gets_anothers_body(ways: Ways) -> None:
    second_admin(ways.app)
    app = ways.app
    everybody = [
        app.token(role, business) for business in (app.alpha, app.beta) for role in ("admin", "operator")
    ] + [app.token("second"), app.token()]
    for _ in range(2):
        for token in everybody:
            for path in PATHS:
                short = ways.ask(path, headers=bearer(token))
                assert short.data == ways.ask_slow(path, headers=bearer(token)).data
    before = ways.asked
    bodies = [ways.ask(STATS, headers=bearer(token)).data for token in everybody]
    assert ways.asked == before
    assert len(set(bodies)) == 5, "the same user with two tokens sees the same, all others something else"


def test_each_spelling_of_the_arguments_gets_its_own_answer(ways: Ways) -> None:
    who = bearer(ways.app.token())
    spellings = (
        "", "?", "?limit=3", "?limit=03", "?limit=%33", "?limit=4", "?limit=3&", "?&limit=3", "?limit=3&limit=4",
        "?limit=4&limit=3", "?limit=3&limit=3", "?Limit=3", "?limit=", "?limit=3;limit=4", "?lim%69t=4",
        "?limit=%EF%BC%93", "?limit=3#4", "?limit=0", "?limit=51", "?limit=3%00", "?limit=+3", "?limit=%2B3",
    )  # fmt: skip
    for _ in range(3):
        for spelling in spellings:
            short = ways.ask(RECENT + spelling, headers=who)
            long = ways.ask_slow(RECENT + spelling, headers=who)
            assert short.status_code == long.status_code, spelling
            if short.status_code == 200:
                assert short.data == long.data, spelling
    for spelling, number in (("?limit=3", 3), ("?limit=%33", 3), ("?limit=4", 4), ("?lim%69t=4", 4)):
        found = json.loads(ways.ask_fast(RECENT + spelling, headers=who).data)
        assert len(found["items"]) == number


def test_a_spoofed_forwarded_header_changes_nothing_and_a_proxys_is_believed(ways: Ways) -> None:
    who = bearer(ways.app.token())
    spoofed = {
        **who,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "proto=https",
    }
    stranger: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}}
    proxy: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": ""}}  # on the unix socket
    ways.ask(STATS, headers=who, **stranger)
    plain = ways.ask_fast(STATS, headers=who, **stranger)
    assert "Strict-Transport-Security" not in plain.headers
    assert comparable(ways.ask_fast(STATS, headers=spoofed, **stranger)) == comparable(plain)
    ways.ask(STATS, headers=spoofed, **proxy)
    by_proxy = ways.ask_fast(STATS, headers=spoofed, **proxy)
    assert by_proxy.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "evil" not in str(by_proxy.headers)
    assert comparable(ways.ask_fast(STATS, headers=who, **stranger)) == comparable(plain)


@pytest.mark.parametrize("header", HEADERS)
def test_each_forwarded_header_by_itself_is_taken_from_a_stranger(header: str) -> None:
    """The short cut for requests without any of them must not let a single one through."""
    seen: list[dict[str, Any]] = []
    proxies = TrustedProxies(lambda environ, start_response: seen.append(environ) or [], "unix")
    proxies({"REMOTE_ADDR": "192.0.2.9", "wsgi.url_scheme": "http", header: "https"}, None)
    assert seen[0] == {"REMOTE_ADDR": "192.0.2.9", "wsgi.url_scheme": "http", UNKNOWN_CALLER: True}


def test_every_cached_view_depends_on_its_address_alone(app: Application) -> None:
    """The fast path knows a request by token, path and query string; a view that reads more must not be kept."""
    views = [view for view in app.flask.view_functions.values() if hasattr(view, "cached_per_user")]
    assert len(views) >= len(CACHED)
    for view in views:
        places = {place for _, place in getattr(view, "_spec", {}).get("args") or ()}
        assert places <= {"query", "path"}, view.__name__


def test_while_the_database_is_away_the_fast_path_gives_the_last_good_answer_as_the_slow_path_does(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, who = ways.app.services, bearer(ways.app.token())
    etag = ways.ask(STATS, headers=who).headers["ETag"]
    ways.ask(STATS, headers=who)
    services.store.bump(ways.app.alpha.id, {"jobs"})
    monkeypatch.setattr(ServerStatus, "is_open", lambda *_: True)
    monkeypatch.setattr(ServerStatus, "is_silent", lambda *_: True)
    for more in ({}, {"If-None-Match": etag}, {"Accept-Encoding": "gzip"}):
        short = ways.ask_fast(STATS, headers={**who, **more})
        long = ways.ask_slow(STATS, headers={**who, **more})
        assert short.headers["X-Cache"] == "STALE" and "Age" in short.headers
        assert "desc=STALE" in short.headers["Server-Timing"]
        assert comparable(short) == comparable(long)
    # One whose token has ended is refused by the slow path.
    token = who["Authorization"].split()[1]
    identity = services.sign_in.identify(token, reading=True)
    services.sign_in.revocations.add(identity.tenant_id, identity.user_id, identity.token_id, None, 2**40)
    assert ways.ask(STATS, headers=who).status_code == 401
