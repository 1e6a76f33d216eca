"""X-Cache, Age, ETag and as_of are true in every state an answer can be in, as ARCHITECTURE.md lists them."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.seed import Business
from tests.web.states import RECENT, STATES, STATS, Scene
from tests.web.ways import Ways, bearer

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture(scope="module")
def app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """With the change feed stopped: it beats when the test says so."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as application:
        application.client().get("/api/auth/me")
        application.services.change_feed.pause()
        yield application


@pytest.fixture(scope="module")
def ways(app: Application) -> Ways:
    return Ways(app)


@pytest.fixture(scope="module")
def token(app: Application) -> str:
    return app.token()


def table() -> dict[str, dict[str, str]]:
    """The rows of "States of an answer", by their first column."""
    lines = (
        ARCHITECTURE.read_text().partition("## States of an answer\n")[2].partition("\n## ")[0].splitlines()
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head, _, *rows = cells
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_the_table_lists_the_states_that_are_driven_here() -> None:
    assert list(table()) == list(STATES)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("way", ["fast", "slow"])
@pytest.mark.parametrize("path", [STATS, RECENT])
@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_the_table_says(
    app: Application, ways: Ways, token: str, state: str, path: str, way: str, encoding: str
) -> None:
    told = table()[state]
    scene = Scene(app, path, ways.ask if way == "fast" else ways.ask_slow, token)
    scene.sent = GZIP if encoding == "gzip" else {}
    answer = STATES[state](scene)
    assert (str(answer.status_code), answer.headers["X-Cache"]) == (told["Status"], told["X-Cache"])
    age = {"0": 0, "since its load began": int(scene.now - scene.made)}[told["Age"]]
    assert answer.headers["Age"] == str(age)
    assert (age == 0) == (told["Age"] == "0"), "the clock has moved, or this proves nothing"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Cookie, Accept-Encoding"
    check_body(answer, scene, told["Contains"])
    if told["X-Cache"] == "HIT":
        assert answer.headers["X-Queries"] == "0"


def check_body(answer: TestResponse, scene: Scene, contains: str) -> None:
    """Its bytes are those of its ETag, and its as_of is the last change that is in its numbers."""
    zipped = bool(scene.sent)
    if answer.status_code == 304:
        assert answer.data == b""
        # The body it stands for.
        again = scene.ask()
        assert again.headers["ETag"] == answer.headers["ETag"]
        answer = again
    assert (answer.headers.get("Content-Encoding") == "gzip") == zipped
    identity = gzip.decompress(answer.data) if zipped else answer.data
    digest = blake2b(identity, digest_size=16).hexdigest()
    assert answer.headers["ETag"] == (f'"{digest}-gzip"' if zipped else f'"{digest}"')
    as_of = dt.datetime.fromisoformat(json.loads(identity)["as_of"])
    assert as_of == scene.last_change
    assert (as_of == scene.true_last_change()) == (contains == "everything")


@pytest.mark.parametrize("way", ["fast", "slow"])
def test_a_body_per_role_is_shared_by_its_users_and_one_per_user_is_not(
    app: Application, ways: Ways, token: str, way: str
) -> None:
    ask = ways.ask if way == "fast" else ways.ask_slow
    for path in (STATS, RECENT):
        scene = Scene(app, path, ask, token)
        scene.kept()
        for other in (app.token("operator"), app.token("admin", app.beta)):
            answer = scene.ask(other)
            assert (answer.headers["X-Cache"], answer.headers["Age"]) == ("MISS", "0")
            assert ask(path, headers=bearer(other)).headers["X-Cache"] == "HIT"
            assert answer.headers["ETag"] != scene.ask().headers["ETag"] or path == RECENT
        # The same user with another token is the same user.
        assert scene.ask(app.token()).headers["X-Cache"] == "HIT"


def test_one_row_is_made_each_time_and_says_so(app: Application, ways: Ways) -> None:
    who = bearer(app.token())
    first = app.client().get("/api/jobs?page_size=1").json["items"][0]  # type: ignore[index]
    job = f"/api/jobs/{first['id']}"
    for _ in range(2):
        answer = ways.ask(job, headers=who)
        assert (answer.headers["X-Cache"], answer.headers["Age"]) == ("BYPASS", "0")
        assert answer.headers["Cache-Control"] == "private, no-cache"
    same = ways.ask(job, headers={**who, "If-None-Match": answer.headers["ETag"]})
    assert (same.status_code, same.headers["X-Cache"], same.data) == (304, "BYPASS", b"")


def test_what_is_not_kept_is_an_error_without_marks_while_the_database_is_away(
    app: Application, ways: Ways, token: str
) -> None:
    scene = Scene(app, STATS, ways.ask, token)
    with scene.database_away():
        answer = scene.ask()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
    assert not {"X-Cache", "Age", "ETag"} & set(answer.headers.keys())
    assert scene.load().status_code == 200
