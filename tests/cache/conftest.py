"""A store with a clock of its own, alone and with a second level, and a stage for its callers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsboard.cache import Store
from opsboard.cache.link import Link
from tests.cache.sharing import FeedStore, opened, patient, shared_cache
from tests.cache.stage import Clock, Stage, staged
from tests.redis_servers import RedisServer


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture(scope="session")
def link(redis_of_session: RedisServer) -> Iterator[Link]:
    """Open connections to a redis-server."""
    with patient():
        link = opened(Link(redis_of_session.url))
        yield link
        link.stop()


@pytest.fixture(params=["memory", "memory and Redis"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Store:
    """A store of 100 entries and a megabyte; then the same above a second level."""
    if request.param == "memory":
        return Store(100, 1_000_000, clock)
    link: Link = request.getfixturevalue("link")
    return FeedStore(shared_cache(link, clock), clock)


@pytest.fixture
def stage(store: Store) -> Iterator[Stage]:
    """Callers of that store that move only when told."""
    with staged(store) as stage:
        yield stage
