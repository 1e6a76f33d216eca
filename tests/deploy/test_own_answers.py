"""Everybody gets their own answer, whether the application was made before the fork or after it."""

from __future__ import annotations

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.load import Crowd
from tests.deploy.servers import running_gunicorn

CLIENTS = 8
# The master of the last one has connections of its own when it forks.
WAYS = [
    pytest.param("tests.deploy.probe_app:app()", [], id="made-after-the-fork"),
    pytest.param("tests.deploy.probe_app:app()", ["--preload"], id="preload"),
    pytest.param(
        "tests.deploy.probe_app:used_before_the_fork()", ["--preload"], id="preload-with-connections"
    ),
]


def ask_all(data: FreshDatabase, people: list[Person], app: str, options: list[str], requests: int) -> str:
    """Eight clients, each another user, ask so often; each answer must be the asker's own."""
    # So few connections that those of the master, were they used after the fork, would be used all the time.
    settings = {"DATABASE_URL": data.app_url, "DB_POOL_MAX_CONNECTIONS": "4", "LOG_LEVEL": "warning"}
    with running_gunicorn(app, *options, **settings) as server:
        tally = Crowd(people[:CLIENTS], server.client).ask(requests)
    assert (tally.wrong, tally.failed) == ([], {}), tally
    assert tally.right >= requests
    return str(tally)


@pytest.mark.parametrize(("app", "options"), WAYS[-1:])
def test_eight_users_get_their_own_answers(
    data: FreshDatabase, people: list[Person], app: str, options: list[str]
) -> None:
    ask_all(data, people, app, options, 1000)


@pytest.mark.slow
@pytest.mark.parametrize(("app", "options"), WAYS)
def test_eight_users_get_their_own_hundred_thousand_answers(
    data: FreshDatabase, people: list[Person], app: str, options: list[str]
) -> None:
    print(ask_all(data, people, app, options, 100_000))
