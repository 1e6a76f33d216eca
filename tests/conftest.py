"""Fixtures every test may use: real Postgres servers, and a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import (
    FreshDatabase,
    cluster_folder,
    fresh_database,
    migrate_template,
    postgres15_bindir,
    running_cluster,
)
from tests.queries_once import no_repeats
from tests.redis_servers import RedisServer, running_redis
from tests.seed import Business, seed

# How quick a machine is that runs the tests says nothing about what they test.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _no_request_repeats_a_query(request: pytest.FixtureRequest) -> Iterator[None]:
    """A request that runs a query more than once makes its test fail; `repeats_queries` marks those that plant one."""
    if request.node.get_closest_marker("repeats_queries"):
        yield
        return
    with no_repeats():
        yield


@pytest.fixture(scope="session")
def folder_of_clusters() -> Iterator[Path]:
    """A folder for servers' data, reachable by the user they run as."""
    with cluster_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def cluster(folder_of_clusters: Path) -> Iterator[Cluster]:
    """The embedded PostgreSQL 18; one for each test process."""
    with running_cluster(folder_of_clusters / "18") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster15(folder_of_clusters: Path) -> Iterator[Cluster]:
    """The machine's own PostgreSQL 15, run privately."""
    with running_cluster(folder_of_clusters / "15", postgres15_bindir()) as cluster:
        yield cluster


@pytest.fixture(scope="session", params=["cluster", "cluster15"])
def any_cluster(request: pytest.FixtureRequest) -> Cluster:
    """Runs the test on PostgreSQL 18 and again on 15."""
    cluster: Cluster = request.getfixturevalue(request.param)
    return cluster


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a migrated database; only to be copied."""
    return migrate_template(cluster)


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[FreshDatabase]:
    """A migrated, empty database of the test's own on PostgreSQL 18."""
    with fresh_database(cluster, template) as database:
        yield database


@pytest.fixture
def any_database(any_cluster: Cluster) -> Iterator[FreshDatabase]:
    """A migrated, empty database of the test's own, on PostgreSQL 18 and again on 15."""
    with fresh_database(any_cluster, migrate_template(any_cluster)) as database:
        yield database


@pytest.fixture(scope="session")
def seeded(cluster: Cluster, template: str) -> Iterator[tuple[str, Business, Business]]:
    """The name of a database with two businesses, only to be copied, and the two."""
    with fresh_database(cluster, template) as database:
        yield database.name, *seed(database.superuser_url)


@pytest.fixture(scope="session")
def app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """The application on two seeded businesses, shared by the tests that only read."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as application:
        yield application


@pytest.fixture
def own_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """The same for a test that writes."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as application:
        yield application


@pytest.fixture(scope="session")
def shop(app: Application) -> Application:
    """The former name of `app`."""
    return app


@pytest.fixture
def own_shop(own_app: Application) -> Application:
    """The former name of `own_app`."""
    return own_app


@pytest.fixture(scope="session")
def redis_of_session() -> Iterator[RedisServer]:
    """A redis-server that no test stops or empties; each uses a namespace of its own."""
    with running_redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A redis-server for a test that does it harm."""
    with running_redis() as server:
        yield server
