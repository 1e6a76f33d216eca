"""Where the database is, and who starts and stops the embedded one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.config import Config, load_config
from opsboard.db import addresses
from opsboard.db.addresses import embedded_server, owner_url, recreate_database, service_url
from opsboard.db.embedded import Cluster
from opsboard.db.session import connected
from opsboard.errors import CommandError, ConfigError, EmbeddedError

SERVICE = "postgresql://app@db.example/opsboard"
OWNER = "postgresql://owner@db.example/opsboard"


@pytest.fixture
def config(folder_of_clusters: Path, request: pytest.FixtureRequest) -> Iterator[Config]:
    """Settings with a data folder of the test's own; a server left running in it is stopped."""
    folder = folder_of_clusters / f"data{abs(hash(request.node.nodeid)) % 10**8}"
    yield load_config({"OPSBOARD_DATA": str(folder)}, None)
    Cluster(folder / "postgres").stop("immediate")
    addresses._marks.pop(folder, None)


def postgres(config: Config) -> Cluster:
    return Cluster(config.data_folder / "postgres")


def test_the_settings_name_the_database_and_nothing_embedded_is_started(tmp_path: Path) -> None:
    data = {"OPSBOARD_DATA": str(tmp_path / "data")}
    one = load_config({**data, "DATABASE_URL": SERVICE}, None)
    two = load_config({**data, "DATABASE_URL": SERVICE, "DATABASE_OWNER_URL": OWNER}, None)
    assert (service_url(one), owner_url(one)) == (SERVICE, SERVICE)
    assert (service_url(two), owner_url(two)) == (SERVICE, OWNER)
    with embedded_server(one) as cluster:
        assert cluster is None
    assert not (tmp_path / "data").exists()


def test_an_owner_without_a_service_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL must be set"):
        service_url(load_config({"DATABASE_OWNER_URL": OWNER}, None))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = load_config({"OPSBOARD_DATA": str(tmp_path / "file" / "data")}, None)
    with pytest.raises(EmbeddedError, match=r"Not a directory; set OPSBOARD_DATA"), embedded_server(config):
        pass


CHILD = """
import sys
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server
with embedded_server(load_config({"OPSBOARD_DATA": sys.argv[1]}, None)) as cluster:
    print(cluster.pid, flush=True)
    input()
"""


def test_whoever_leaves_last_stops_the_embedded_server(config: Config) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(config.data_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdin and first.stdout
        started = int(first.stdout.readline())
        with embedded_server(config) as cluster:
            with embedded_server(config):
                assert cluster is not None and cluster.pid == started
            first.stdin.write("\n")
            first.stdin.close()
            assert first.wait() == 0
            assert cluster.pid == started
            check_addresses(config)
        assert not postgres(config).running
    with embedded_server(config) as cluster:
        assert cluster is not None
        check_recreation(config, cluster)
    assert not postgres(config).running


def test_an_error_stops_the_embedded_server_too(config: Config) -> None:
    with pytest.raises(ZeroDivisionError), embedded_server(config):
        raise ZeroDivisionError
    assert (config.data_folder / "postgres" / "PG_VERSION").exists()
    assert not postgres(config).running


def check_addresses(config: Config) -> None:
    """The owner owns the database and is no superuser; the service's role comes with the migrations."""
    assert service_url(config) == owner_url(config).replace("opsboard_owner", "opsboard_app")
    with connected(owner_url(config), "test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database(), current_setting('is_superuser')")
        assert cursor.fetchall() == [("opsboard_owner", "opsboard", "off")]


def check_recreation(config: Config, cluster: Cluster) -> None:
    """The content of the database is deleted, but not while it is in use."""
    with connected(owner_url(config), "test") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine ()")
        with pytest.raises(CommandError, match="is in use"):
            recreate_database(cluster)
    recreate_database(cluster)
    with connected(owner_url(config), "test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('mine')")
        assert cursor.fetchall() == [(None,)]


def test_a_process_that_serves_keeps_the_server_from_being_stopped(config: Config) -> None:
    serving = CHILD.replace("embedded_server(", "nullcontext(service_url(").replace(
        "None)) as cluster", "None))) as cluster"
    )
    serving = serving.replace(
        "import embedded_server", "import service_url\nfrom contextlib import nullcontext"
    )
    with subprocess.Popen(
        [sys.executable, "-c", serving.replace("cluster.pid", "cluster"), str(config.data_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdin and service.stdout
        assert "opsboard_app" in service.stdout.readline()
        with embedded_server(config):
            pass
        assert postgres(config).running
        service.stdin.write("\n")
    with embedded_server(config):
        pass
    assert not postgres(config).running
