"""Workers come and go: killed, reloaded, replaced, stopped; nobody who asks notices, and none stays behind."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Answer, Client
from tests.deploy.load import Crowd
from tests.deploy.servers import (
    Gunicorn,
    alive,
    eventually,
    free_port,
    listens,
    running_gunicorn,
    running_nginx,
)

PROBES = "tests.deploy.probe_app:app()"
# A request and the look at whether the master lives, with the margin of a busy machine.
SOON = 5.0


def in_background(client: Client, path: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(client.get(path)))
    thread.start()
    return thread, answers


def new_workers(server: Gunicorn, old: set[int], number: int = 2) -> bool:
    """Whether all workers were replaced, and one of the new ones has answered."""
    present = server.workers()
    return (
        len(present) == number
        and not present & old
        and server.client().get("/probe").json["worker"] in present
    )


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


def test_reload_under_load_fails_no_request(gunicorn: Gunicorn, nginx: int, people: list[Person]) -> None:
    before = gunicorn.workers()
    kept = Crowd(people[:4], lambda token: Client(nginx, token))
    fresh = Crowd(people[4:6], lambda token: Client(nginx, token), kept=False)
    with kept.asking(), fresh.asking():
        gunicorn.signal(signal.SIGHUP)
        eventually("both workers are new", lambda: new_workers(gunicorn, before))
    for tally in (kept.tally, fresh.tally):
        assert tally.right > 20, tally
        assert (tally.wrong, tally.failed) == ([], {}), tally


def test_reload_takes_new_settings_and_refuses_wrong_ones(gunicorn: Gunicorn) -> None:
    env_file = gunicorn.folder / ".env"
    env_file.write_text("WEB_CONCURRENCY=1\n")
    before = gunicorn.workers()
    gunicorn.signal(signal.SIGHUP)
    eventually("one worker is left", lambda: new_workers(gunicorn, before, number=1))
    before = gunicorn.workers()
    env_file.write_text("WEB_CONCURRENCY=none\nWEB_THREADS=0\n")
    gunicorn.signal(signal.SIGHUP)
    eventually("the reload was refused", lambda: "going on with those from before" in gunicorn.said())
    assert "WEB_CONCURRENCY must be a whole number from 1 to 256, not 'none'" in gunicorn.said()
    assert "WEB_THREADS must be a whole number from 1 to 256, not '0'" in gunicorn.said()
    eventually("the old settings are in force", lambda: new_workers(gunicorn, before, number=1))
    env_file.unlink()
    before = gunicorn.workers()
    gunicorn.signal(signal.SIGHUP)
    eventually("both workers are there", lambda: new_workers(gunicorn, before))


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
                eventually("both workers are new", lambda before=before: new_workers(server, before))  # type: ignore[misc]
        with Crowd(people[:8], lambda token: Client(port, token)).asking() as killed:
            for _ in range(20):
                victim = min(server.workers())
                os.kill(victim, signal.SIGKILL)
                eventually("replaced", lambda victim=victim: new_workers(server, {victim}))  # type: ignore[misc]
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
        eventually("workers were replaced", lambda: new_workers(server, before))
        assert (recycled.wrong, recycled.failed) == ([], {}), recycled
        frozen = min(server.workers())
        os.kill(frozen, signal.SIGSTOP)
        try:
            eventually("the frozen worker is replaced", lambda: not alive(frozen), 60)
            eventually("both answer", lambda: new_workers(server, {frozen}))
        finally:
            if alive(frozen):
                os.kill(frozen, signal.SIGKILL)
