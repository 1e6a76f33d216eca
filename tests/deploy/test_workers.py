"""Workers come and go: killed, reloaded, replaced, stopped; nobody who asks notices, and none stays behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.application import SECRET
from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Answer, Client
from tests.deploy.load import Crowd
from tests.deploy.servers import Gunicorn, alive, free_port, listens, running_gunicorn, running_nginx
from tests.waiting import eventually

PROBES = "tests.deploy.probe_app:app()"
# A request and the look at whether the master lives, with the margin of a busy machine.
SOON = 5.0


def in_background(client: Client, path: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(client.get(path)))
    thread.start()
    return thread, answers


def new_workers(server: Gunicorn, old: set[int], number: int = 2) -> Callable[[], bool]:
    """Becomes true once there are so many workers, none of them an old one, and each has answered."""
    answered: set[int] = set()

    def all_answered() -> bool:
        answered.add(server.client().get("/probe").json["worker"])
        present = server.workers()
        return len(present) == number and not present & old and present <= answered

    return all_answered


def test_the_line_of_the_documentation_finds_a_worker_to_profile(gunicorn: Gunicorn) -> None:
    document = (Path(__file__).parents[2] / "docs" / "measuring.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^py-spy top --pid (.*?) +#", document, re.MULTILINE)
    master = "$(systemctl show --property MainPID --value opsboard)"
    assert master in line
    command = ["bash", "-c", f"echo {line.replace(master, str(gunicorn.process.pid))}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) in gunicorn.workers()


def test_a_killed_worker_is_replaced_and_the_others_go_on(
    gunicorn: Gunicorn, nginx: int, people: list[Person]
) -> None:
    before = gunicorn.workers()
    victim = min(before)
    with Crowd(people[:4], lambda token: Client(nginx, token)).asking() as tally:
        eventually("clients are served", lambda: tally.right > 20)
        os.kill(victim, signal.SIGKILL)
        eventually("the worker is replaced", lambda: len(gunicorn.workers() - {victim}) == 2)
        served = tally.right
        eventually("clients are served again", lambda: tally.right > served + 20)
    assert tally.wrong == []
    # At most what the killed worker had begun to answer; nginx asks another worker about all else.
    assert tally.failed.total() <= 4, tally


def test_each_worker_opens_its_minimum_of_connections_and_keeps_it(
    data: FreshDatabase, people: list[Person]
) -> None:
    """`available: 6, total: 6` before the first request needs one."""
    with running_gunicorn(PROBES, DATABASE_URL=data.app_url, DB_POOL_MIN_CONNECTIONS="6") as server:
        client = server.client(people[0].token)

        def pools() -> list[tuple[int, int]]:
            # Other tests' workers may report to the same database.
            own, workers = server.workers(), client.get("/health/db").json["workers"]
            return [
                (one["pool"]["total"], one["pool"]["min_connections"])
                for one in workers
                if one["pid"] in own and "pool" in one
            ]

        eventually("all workers have their minimum", lambda: pools() == [(6, 6)] * 2)


def test_what_a_killed_worker_had_not_begun_to_answer_is_asked_of_another(
    gunicorn: Gunicorn, nginx: int
) -> None:
    # A worker that another test ended may still be starting again.
    eventually("there is another worker", new_workers(gunicorn, set()))
    asked = [in_background(Client(nginx), "/probe/sleep/1.0") for _ in range(8)]
    eventually("the requests have begun", lambda: gunicorn.said().count(" sleeps\n") == 8)
    victim = int(gunicorn.said().rpartition(" sleeps\n")[0].split()[-1])
    os.kill(victim, signal.SIGKILL)
    for thread, _ in asked:
        thread.join()
    answers = [answer for _, kept in asked for answer in kept]
    assert [answer.status for answer in answers] == [200] * 8
    assert victim not in {answer.json["worker"] for answer in answers}
    assert gunicorn.said().count(" sleeps\n") > 8
    eventually("the worker is replaced", new_workers(gunicorn, {victim}))


def test_reloads_under_load_take_new_settings_refuse_wrong_ones_and_fail_no_request(
    gunicorn: Gunicorn, nginx: int, people: list[Person]
) -> None:
    kept = Crowd(people[:4], lambda token: Client(nginx, token))
    fresh = Crowd(people[4:6], lambda token: Client(nginx, token), kept=False)
    with kept.asking(), fresh.asking():
        reload_with(gunicorn, "WEB_CONCURRENCY=1", workers=1)
        reload_with(gunicorn, "WEB_CONCURRENCY=none\nWEB_THREADS=0", workers=1)
        reload_with(gunicorn, "", workers=2)
    assert gunicorn.said().count("going on with those from before") == 1
    assert "opsboard: WEB_CONCURRENCY must be a whole number from 1 to 256, not 'none'" in gunicorn.said()
    assert "opsboard: WEB_THREADS must be a whole number from 1 to 256, not '0'" in gunicorn.said()
    for tally in (kept.tally, fresh.tally):
        assert tally.right > 20, tally
        assert (tally.wrong, tally.failed) == ([], {}), tally


def reload_with(server: Gunicorn, env_file: str, workers: int) -> None:
    """Change .env and wait until so many workers, all new, have answered."""
    (server.folder / ".env").write_text(env_file)
    before = server.workers()
    server.signal(signal.SIGHUP)
    eventually("all workers are new", new_workers(server, before, workers))


def test_term_lets_requests_end_and_leaves_nothing_behind(data: FreshDatabase) -> None:
    with running_gunicorn(PROBES, DATABASE_URL=data.app_url) as server:
        workers = server.workers()
        thread, answers = in_background(server.client(), "/probe/sleep/1.5")
        eventually("the request has begun", lambda: server.answers())
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        thread.join()
    assert [answer.status for answer in answers] == [200]
    assert not [pid for pid in workers if alive(pid)]
    assert not server.socket.exists()
    assert "Traceback" not in server.said_at_end


def test_no_worker_keeps_the_port_when_the_master_was_killed(data: FreshDatabase) -> None:
    port = free_port()
    with running_gunicorn(PROBES, DATABASE_URL=data.app_url, BIND=f"127.0.0.1:{port}") as server:
        seen = server.client().get("/probe", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https").json
        assert (seen["remote_addr"], seen["scheme"]) == ("127.0.0.1", "http"), "nobody on TCP is believed"
        workers = server.workers()
        stuck = server.client()
        stuck.connection.request("GET", "/probe/sleep/60.0")
        eventually("the stuck request has begun", lambda: server.answers())
        server.signal(signal.SIGKILL)
        eventually("the port is free", lambda: not listens(port), SOON)
        eventually("the workers are gone", lambda: not any(map(alive, workers)), SOON)
        stuck.close()


def test_no_secret_is_in_a_command_line_or_the_log(gunicorn: Gunicorn) -> None:
    pids = {gunicorn.process.pid, *gunicorn.workers()}
    shown = " ".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids) + gunicorn.said()
    assert "gunicorn" in shown
    assert SECRET not in shown
    assert gunicorn.settings["DATABASE_URL"] not in shown


@pytest.mark.slow
def test_twenty_reloads_and_twenty_kills_under_load(data: FreshDatabase, people: list[Person]) -> None:
    with (
        running_gunicorn(PROBES, DATABASE_URL=data.app_url) as server,
        running_nginx(server.socket) as port,
    ):
        with Crowd(people[:8], lambda token: Client(port, token)).asking() as reloaded:
            for _ in range(20):
                before = server.workers()
                server.signal(signal.SIGHUP)
                eventually("both workers are new", new_workers(server, before))
        with Crowd(people[:8], lambda token: Client(port, token)).asking() as killed:
            for _ in range(20):
                victim = min(server.workers())
                os.kill(victim, signal.SIGKILL)
                eventually("replaced", new_workers(server, {victim}))
    print(f"20 reloads: {reloaded}; 20 kills: {killed}")
    assert (reloaded.wrong, reloaded.failed) == ([], {}), reloaded
    assert killed.wrong == []
    assert killed.failed.total() <= 20, killed


@pytest.mark.slow
def test_recycled_and_frozen_workers_are_replaced_unnoticed(
    data: FreshDatabase, people: list[Person]
) -> None:
    with (
        running_gunicorn(PROBES, DATABASE_URL=data.app_url, WEB_MAX_REQUESTS="200") as server,
        running_nginx(server.socket) as port,
    ):
        before = server.workers()
        recycled = Crowd(people[:4], lambda token: Client(port, token)).ask(3000)
        eventually("workers were replaced", new_workers(server, before))
        assert (recycled.wrong, recycled.failed) == ([], {}), recycled
        frozen = min(server.workers())
        os.kill(frozen, signal.SIGSTOP)
        try:
            eventually("the frozen worker is replaced", lambda: not alive(frozen), 60)
            eventually("both answer", new_workers(server, {frozen}))
        finally:
            if alive(frozen):
                os.kill(frozen, signal.SIGKILL)


def test_a_full_garbage_collection_leaves_out_the_application(gunicorn: Gunicorn) -> None:
    """One that walks over all of it stops every thread of the worker, for as long as many answers take."""
    found = gunicorn.client().get("/probe/collected").json
    assert found["frozen"] > 50_000 and found["walked"] < found["frozen"] // 2
