"""The whole demo as a user meets it: it runs, what it prints works, it leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.config import load_config
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.session import connected
from opsboard.demo import command
from opsboard.demo.client import Client
from opsboard.demo.server import claim_port
from opsboard.errors import CommandError
from tests.clusters import FreshDatabase
from tests.demo.reading import rows, value
from tests.demo.running import Demo, alive, environment, family, get, is_free, running_demo
from tests.waiting import comes_true

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def folder(folder_of_clusters: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """OPSBOARD_DATA of one test."""
    folder = folder_of_clusters / f"demo{abs(hash(request.node.nodeid)) % 10**8}"
    yield folder
    if (folder / "postgres" / "PG_VERSION").exists():
        Cluster(folder / "postgres").stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


def everything(demo: Demo, folder: Path) -> set[int]:
    postgres = Cluster(folder / "postgres").pid
    assert postgres
    return family(demo.process.pid) | family(postgres)


def total_jobs(demo: Demo) -> int:
    """Return the output of the shown command line."""
    return int(json.loads(get(demo.curl))["jobs"]["total"])


def test_the_demo_runs_its_curl_line_works_and_ctrl_c_leaves_nothing(folder: Path) -> None:
    with running_demo(folder, "--jobs", "500") as demo:
        assert total_jobs(demo) == 300
        host, _, port = demo.address.removeprefix("http://").rpartition(":")
        for name in ("admin", "manager", "operator"):
            for slug in ("north", "south"):
                assert f"{name}@{slug}.example" in demo.said
                assert Client(host, int(port)).sign_in(f"{name}@{slug}.example", "opsboard-demo")
        assert Client(host, int(port)).sign_in("admin@north.example", "opsboard-demo!") is None
        processes = everything(demo, folder)
        assert len(processes) > 5
        assert demo.end(signal.SIGINT) == 0
        assert alive(processes) == set()
        assert is_free(demo.address)
        assert "Traceback" not in demo.errors + (demo.process.stdout.read() if demo.process.stdout else "")


@pytest.fixture
def empty_database(cluster15: Cluster) -> Iterator[FreshDatabase]:
    """Somebody's own server, with a database that nothing is in."""
    database = FreshDatabase(cluster15, "somebodys_own")
    with connected(cluster15.url(SUPERUSER, "postgres"), "test") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE somebodys_own")
        yield database
        cursor.execute("DROP DATABASE somebodys_own WITH (FORCE)")


def test_with_an_address_the_demo_uses_that_server_by_a_role_that_row_security_binds(
    folder: Path, empty_database: FreshDatabase
) -> None:
    url = empty_database.superuser_url
    with running_demo(folder, "--jobs", "200", DATABASE_URL=url) as demo:
        assert total_jobs(demo) == 120
        assert rows(
            empty_database,
            """
            SELECT DISTINCT usename FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """,
        ) == [("opsboard_app",)]
        assert not (folder / "postgres").exists()
        assert (folder / "opsboard_app.password").stat().st_mode & 0o777 == 0o600
        assert demo.end(signal.SIGINT) == 0
    assert value(empty_database, "SELECT count(*) FROM jobs") == 200


@pytest.mark.slow
def test_a_killed_demo_can_be_started_again_at_once(folder: Path) -> None:
    with running_demo(folder, "--jobs", "500") as first:
        postgres = Cluster(folder / "postgres").pid
        server = everything(first, folder) - family(postgres or 0)
        port = first.address.rpartition(":")[2]
        first.end(signal.SIGKILL)
        with running_demo(folder, "--jobs", "9999", PORT=port) as second:
            assert second.address == first.address
            assert Cluster(folder / "postgres").pid == postgres
            assert total_jobs(second) == 300
            assert "--jobs is ignored" in second.errors
            assert "applying" not in second.errors
            assert comes_true(lambda: not alive(server))
            processes = everything(second, folder)
            assert second.end(signal.SIGTERM) == 0
            assert alive(processes) == set()
            assert "Traceback" not in second.errors


@pytest.mark.slow
def test_two_copies_run_side_by_side_and_fresh_makes_one_anew(folder: Path, folder_of_clusters: Path) -> None:
    other = folder_of_clusters / "other"
    with running_demo(folder, "--jobs", "500") as demo:
        with running_demo(other, "--jobs", "100") as second:
            assert (total_jobs(demo), total_jobs(second)) == (300, 60)
            busy = subprocess.run(
                [sys.executable, "-m", "opsboard.cli", "demo", "--fresh", "--no-server"],
                env=environment(folder),
                capture_output=True,
                text=True,
                check=False,
            )
            assert (busy.returncode, busy.stderr) == (
                2,
                "opsboard: The embedded database is in use; stop what uses it first.\n",
            )
            assert second.end(signal.SIGHUP) == 0
        assert total_jobs(demo) == 300
        demo.end(signal.SIGINT)
    with running_demo(other, "--fresh", "--jobs", "200") as fresh:
        assert total_jobs(fresh) == 120
        assert fresh.end(signal.SIGINT) == 0
    assert not Cluster(other / "postgres").running


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["making a Postgres", "applying 0002", "demo data: jobs", "demo data: indexes"]
)
def test_ctrl_c_before_it_is_ready_stops_everything_too(folder: Path, words: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "opsboard.cli", "demo", "--jobs", "60000"],
        env=environment(folder),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as starting:
        assert starting.stderr
        for line in starting.stderr:
            if words in line:
                # As a terminal does it: to every process of the group.
                os.killpg(starting.pid, signal.SIGINT)
                break
        said = starting.stderr.read()
        assert starting.wait(60) == 130, said
    assert "Traceback" not in said
    assert said.endswith("stopped\n")
    assert not Cluster(folder / "postgres").running


def test_a_port_that_is_taken_is_one_line_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsboard.demo.server.PORT_PATIENCE", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError) as refused:
            claim_port("127.0.0.1", port)
    assert refused.value.detail == (
        f"Port {port} of 127.0.0.1 cannot be used (Address already in use); choose another one: PORT={port + 1}"
    )
    with claim_port("127.0.0.1", port) as first:
        assert first.getsockname()[1] == port
        # Before any server runs: of two demos the second must not find the port free.
        with pytest.raises(CommandError):
            claim_port("127.0.0.1", port)


def test_the_command_to_start_over_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "opsboard"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])
    monkeypatch.setenv("PATH", "/usr/bin")
    assert command.own_name() == str(program)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin")
    assert command.own_name() == "opsboard"
    monkeypatch.setattr(sys, "argv", ["/x/opsboard/cli.py", "demo"])
    assert command.own_name() == f"{sys.executable} -m opsboard.cli"


@pytest.mark.parametrize(
    ("settings", "words", "line"),
    [
        (
            {
                "OPSBOARD_ENV": "production",
                "SECRET_KEY": "k" * 40,
                "DATABASE_URL": "postgresql://a@b.invalid/c",
            },
            [],
            "opsboard: The demo's passwords are public; it does not run with OPSBOARD_ENV=production.\n",
        ),
        (
            {"DATABASE_URL": "postgresql://opsboard@127.0.0.1:1/opsboard"},
            ["--fresh"],
            "opsboard: --fresh throws away the embedded database only, never one of DATABASE_URL.\n",
        ),
    ],
)
def test_what_the_demo_will_not_do_is_one_line(
    folder: Path, settings: dict[str, str], words: list[str], line: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opsboard.cli", "demo", *words],
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (2, line, "")
    assert not folder.exists()


def test_a_client_knows_where_a_server_of_every_address_is() -> None:
    assert Client("0.0.0.0", 80).address == "http://127.0.0.1:80"
    assert Client("::", 80).address == "http://[::1]:80"
    assert Client("127.0.0.1", load_config({}, None).port).address == "http://127.0.0.1:8000"
