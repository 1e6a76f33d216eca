"""The private Postgres after kills, reboots, interrupts and starts cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import SUPERUSER
from tests.db.private_servers import answer, throwaway


def test_server_starts_again_after_being_killed_with_clients_connected(data: Path) -> None:
    cluster = throwaway(data)
    cluster.start()
    with closing(psycopg2.connect(cluster.url(SUPERUSER, "postgres"))) as connection:
        connection.cursor().execute("SELECT 1")
        pid = cluster.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        cluster.start()
        assert cluster.pid != pid
        assert answer(cluster, "SELECT 1") == 1


def test_start_waits_for_the_orphans_of_a_killed_server(data: Path) -> None:
    cluster = throwaway(data)
    cluster.start()
    with closing(psycopg2.connect(cluster.url(SUPERUSER, "postgres"))) as connection:
        orphan, pid = connection.get_backend_pid(), cluster.pid
        assert pid is not None
        os.kill(orphan, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        with ThreadPoolExecutor(1) as pool:
            start = pool.submit(cluster.start)
            with pytest.raises(TimeoutError):
                start.result(timeout=1)
            os.kill(orphan, signal.SIGKILL)
            start.result()
    assert cluster.pid != pid
    assert answer(cluster, "SELECT 1") == 1


def test_server_that_answers_nothing_is_not_adopted(data: Path) -> None:
    cluster = throwaway(data)
    cluster.start()
    pid = cluster.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(cluster.start)
        with pytest.raises(TimeoutError):
            start.result(timeout=1)
        os.kill(pid, signal.SIGKILL)
        start.result()
    assert cluster.pid != pid
    assert answer(cluster, "SELECT 1") == 1


def test_server_starts_when_its_old_number_was_given_to_another_program(data: Path) -> None:
    cluster = throwaway(data)
    cluster.start()
    left_behind = {
        name: (cluster.data / name).read_text().splitlines()
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock")
    }
    cluster.stop()
    owner = cluster.data.stat()
    other = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    try:
        for name, lines in left_behind.items():
            (cluster.data / name).write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            os.chown(cluster.data / name, owner.st_uid, owner.st_gid)
        assert not cluster.running
        cluster.start()
        assert cluster.pid != other.pid
        assert answer(cluster, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_start_after_one_cut_short_begins_anew(place: Path) -> None:
    half_made = place / ".data.new" / "base"
    half_made.mkdir(parents=True)
    cluster = throwaway(place / "data")
    cluster.start()
    assert answer(cluster, "SELECT 1") == 1
    assert not half_made.exists()


def test_server_survives_the_interrupt_of_its_terminal(data: Path) -> None:
    code = (
        # A shell that starts the tests in the background makes child processes ignore the interrupt.
        "import signal, sys, pathlib; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from opsboard.db.embedded import Cluster;"
        "Cluster(pathlib.Path(sys.argv[1]), durable=False).start(); print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(data)]
    starter = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    os.killpg(starter.pid, signal.SIGINT)
    assert starter.wait(30) == -signal.SIGINT
    assert answer(throwaway(data), "SELECT 1") == 1
    starter.stdout.close()


def test_start_waits_for_a_server_that_is_still_stopping(data: Path) -> None:
    cluster = throwaway(data)
    cluster.start()
    pid = cluster.pid
    assert pid is not None
    connection = psycopg2.connect(cluster.url(SUPERUSER, "postgres"))
    connection.cursor().execute("SELECT 1")
    # "smart" lets the open connection finish first.
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while "stopping" not in (cluster.data / "postmaster.pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(cluster.start)
        connection.close()
        start.result()
    assert cluster.pid not in (None, pid)
    assert answer(cluster, "SELECT 1") == 1
