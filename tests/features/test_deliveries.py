"""Deliveries to real receivers that are away, slow, faulty or hostile: nothing is lost, and order is kept."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.features.webhooks.addresses import AddressRefused, check_url, resolve
from opsboard.features.webhooks.posting import post
from opsboard.settings import networks
from tests.application import Application
from tests.features.receivers import (
    HERE,
    Receiver,
    application_for_webhooks,
    deliverer,
    environment,
    forget_webhooks,
    let_time_pass,
    new_job,
    receiver,
    register,
    retitle,
    statuses,
)
from tests.features.test_work import run
from tests.seed import Business
from tests.waiting import eventually


@pytest.fixture(scope="module")
def shared_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    with application_for_webhooks(cluster, seeded) as application:
        yield application


@pytest.fixture
def app(shared_app: Application) -> Application:
    forget_webhooks(shared_app)
    return shared_app


def told(found: Receiver, job: int) -> list[str]:
    """The titles of a job in the order in which they were received first."""
    first = {
        event["id"]: event["data"]["title"] for event in reversed(found.events) if event["data"]["id"] == job
    }
    return list(dict.fromkeys(first[event["id"]] for event in found.events if event["data"]["id"] == job))


def test_nothing_is_lost_while_the_receiver_is_down(app: Application) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    made = register(app, f"http://127.0.0.1:{port}/hook")
    job = new_job(app, "one")
    assert deliverer(app).run_once() == {"delivered": 0, "waiting": 1, "failed": 0}
    retitle(app, job, "two")
    let_time_pass(app)
    # The second event is due, and waits for the first all the same.
    assert deliverer(app).run_once() == {"delivered": 0, "waiting": 1, "failed": 0}
    with receiver(port) as found:
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] == 2
    assert told(found, job) == ["one", "two"]
    assert statuses(app, made["id"]) == ["delivered", "delivered"]


def test_an_event_that_is_refused_holds_up_only_its_own_subject(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url)
        poisoned, other = new_job(app, "bad"), new_job(app, "good")
        retitle(app, poisoned, "bad, changed")
        retitle(app, other, "good, changed")
        found.behave = lambda event: 500 if event["data"]["id"] == poisoned else 200
        for _ in range(3):
            deliverer(app).run_once()
            let_time_pass(app)
        assert told(found, other) == ["good", "good, changed"] and not told(found, poisoned)
        tries = [body for _, body in found.requests if b'"bad, changed"' in body]
        assert not tries, "a later event of the subject was sent before the earlier one was received"
        found.behave = lambda event: 200
        deliverer(app).run_once()
        assert told(found, poisoned) == ["bad", "bad, changed"]
    assert set(statuses(app, made["id"])) == {"delivered"}


def test_a_redirect_is_not_followed(app: Application) -> None:
    with receiver() as target, receiver() as found:
        found.behave, found.headers = lambda event: 307, {"Location": target.url}
        made = register(app, found.url)
        job = new_job(app, "one")
        assert deliverer(app).run_once()["waiting"] == 1
        assert not target.requests
        (error,) = run(app, "SELECT last_error FROM deliveries")[0]
        assert error == "redirects are not followed"
        retitle(app, job, "two")
        found.behave, found.headers = lambda event: 200, {}
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] == 2
    assert told(found, job) == ["one", "two"] and statuses(app, made["id"]) == ["delivered", "delivered"]


def test_a_receiver_that_trickles_is_cut_off(app: Application) -> None:
    """Each byte comes within the timeout of a read; the whole answer does not."""
    stop = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def trickle() -> None:
            connection, _ = listening.accept()
            with connection:
                while not stop.is_set():
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return
                    stop.wait(0.02)

        threading.Thread(target=trickle, daemon=True).start()
        register(app, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        new_job(app)
        try:
            assert deliverer(app, WEBHOOK_TIMEOUT="0.5").run_once()["waiting"] == 1
        finally:
            stop.set()
        (error,) = run(app, "SELECT last_error FROM deliveries")[0]
        assert error == "no answer within 0.5 s"


def test_a_slow_receiver_leaves_the_others_alone(app: Application) -> None:
    hold = threading.Event()

    def wait(event: dict[str, Any]) -> int:
        hold.wait(30)
        return 200

    with receiver() as slow, receiver() as quick, thread_worker(app, WEBHOOK_TIMEOUT="60"):
        slow.behave = wait
        register(app, slow.url)
        register(app, quick.url)
        for _ in range(20):
            new_job(app)
        try:
            eventually("the quick one has all", lambda: len(quick.events) == 20)
            assert not slow.events and len(slow.requests) == 2  # at a time
        finally:
            hold.set()
        eventually("the slow one has all", lambda: len(slow.events) == 20)


def test_a_receiver_has_two_attempts_at_a_time_whenever_they_began(app: Application) -> None:
    first, hold = threading.Event(), threading.Event()

    def wait(event: dict[str, Any]) -> int:
        (first if len(slow.requests) == 1 else hold).wait(30)
        return 200

    with receiver() as slow, thread_worker(app, WEBHOOK_TIMEOUT="60"):
        slow.behave = wait
        register(app, slow.url)
        try:
            new_job(app)
            eventually("one attempt is under way", lambda: len(slow.requests) == 1)
            for _ in range(5):
                new_job(app)
            eventually("a second one is", lambda: len(slow.requests) == 2)
            first.set()
            eventually("the first one has ended", lambda: len(slow.events) == 1)
            eventually("a third one is under way", lambda: len(slow.requests) == 3)
            assert run(
                app, "SELECT count(*) FROM deliveries WHERE claimed_at IS NOT NULL AND status = 'waiting'"
            ) == [(2,)]
        finally:
            first.set()
            hold.set()
        eventually("it has all", lambda: len(slow.events) == 6)


def test_a_delivery_is_given_up_after_three_days_and_the_next_one_goes(app: Application) -> None:
    with receiver() as found:
        found.behave = lambda event: 503
        made = register(app, found.url)
        job = new_job(app, "one")
        retitle(app, job, "two")
        found_due = (
            "SELECT extract(epoch FROM due_at - now()), expires_at - created_at FROM deliveries ORDER BY id"
        )
        waits = []
        for _ in range(8):
            deliverer(app).run_once()
            waits.append(float(run(app, found_due)[0][0]))
            let_time_pass(app)
        assert all(later > earlier for earlier, later in pairwise(waits[:7])), waits
        assert 3 < waits[0] < 7 and 19_000 < waits[-1] < 24_000
        assert run(app, found_due)[0][1].days == 3
        run(app, "UPDATE deliveries SET expires_at = now() WHERE id = (SELECT min(id) FROM deliveries)")
        found.behave = lambda event: 200 if event["data"]["title"] == "two" else 503
        assert deliverer(app).run_once()["failed"] == 1
        let_time_pass(app)  # the receiver is left alone for a minute
        assert deliverer(app).run_once()["delivered"] == 1
    assert statuses(app, made["id"]) == ["failed", "delivered"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    key, file = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, file


def test_a_wrong_certificate_is_refused_and_a_right_one_taken(
    app: Application, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    with receiver(context=context) as found:
        made = register(app, f"https://localhost:{found.port}/hook")
        new_job(app)
        assert deliverer(app).run_once()["waiting"] == 1
        assert "certificate is not valid" in run(app, "SELECT last_error FROM deliveries")[0][0]
        assert not found.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        # Of another name than the one in it.
        outcome = post(f"https://127.0.0.1:{found.port}/hook", {}, b"{}", networks(HERE), 5)
        assert "certificate is not valid" in str(outcome.error)
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] == 1
    assert statuses(app, made["id"]) == ["delivered"]


PRIVATE = (
    "https://127.0.0.1/", "https://localhost/", "https://hooks.localhost/", "https://10.1.2.3/", "https://192.168.0.1/",
    "https://172.16.9.9/", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/", "https://100.64.0.1/",
    "https://[::1]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/", "https://[2002:7f00:1::]/", "https://[::]/", "https://224.0.0.1/",
    "https://[::7f00:1]/",
)  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no public address"):
        check_url(url, ())


@pytest.mark.parametrize(
    "url",
    ["http://erp.example/", "ftp://erp.example/", "https://user:word@erp.example/", "https:///x", "//erp.example",
     "https://erp.example/#part", "https://erp.example:99999/", "mailto:nobody", "https://erp.example/a b",
     "https://8.8.8.8\r\nX: y/"],
)  # fmt: skip
def test_other_addresses_than_https_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        check_url(url, ())


def test_public_addresses_and_allowed_networks_are_taken() -> None:
    check_url("https://erp.example/hook", ())
    check_url("https://93.184.216.34/hook", ())
    check_url("mailto:office@example.com", ())
    check_url("http://10.20.1.1/hook", networks("10.20.0.0/16"))
    with pytest.raises(ValueError, match="no public address"):
        check_url("http://10.21.1.1/hook", networks("10.20.0.0/16"))
    with pytest.raises(ValueError, match="need https"):
        check_url("http://93.184.216.34/hook", networks("10.20.0.0/16"))


def test_the_api_refuses_a_private_address(app: Application) -> None:
    answer = app.client().post("/api/webhooks", json={"url": "https://169.254.169.254/"})
    assert answer.status_code == 400 and "no public address" in answer.get_data(as_text=True)
    made = register(app, "https://erp.example/")
    answer = app.client().patch(f"/api/webhooks/{made['id']}", json={"url": "https://10.0.0.1/"})
    assert answer.status_code == 400


def test_a_name_is_resolved_once_and_the_checked_address_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is public when it is checked and private a moment later (DNS rebinding)."""
    asked: list[str] = []

    def rebinding(host: str, port: int, *args: object, **kwargs: object) -> list[Any]:
        if host == "rebind.example":
            asked.append(host)
            address = "127.0.0.2" if len(asked) == 1 else "127.0.0.1"
        else:
            address = host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiver() as found, closing(socket.create_server(("127.0.0.2", found.port))):
        outcome = post(f"http://rebind.example:{found.port}/", {}, b"{}", networks("127.0.0.2/32"), 0.5)
        assert asked == ["rebind.example"] and not found.requests
        assert outcome.error == "no answer within 0.5 s"  # of 127.0.0.2, which was checked


def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int, *args: object, **kwargs: object) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(AddressRefused):
        resolve("erp.example", 443, (), is_secure=True)
    assert "10.0.0.1 is no public address" in str(post("https://erp.example/", {}, b"", (), 1).error)


@contextmanager
def worker(app: Application, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`opsboard outbox run` as a process, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "opsboard.cli", "outbox", "run", "--every", "0.05"],
        env={**os.environ, **environment(app, LOG_LEVEL="warning", **settings)},
        cwd="/",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def thread_worker(app: Application, **settings: str) -> Iterator[None]:
    """The same in a thread of this process."""
    stop = threading.Event()
    thread = threading.Thread(target=deliverer(app, **settings).run, args=(stop, 0.05))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_worker_killed_while_the_receiver_works_loses_nothing(app: Application) -> None:
    hold = threading.Event()

    def wait(event: dict[str, Any]) -> int:
        hold.wait(60)
        return 200

    with receiver() as found:
        found.behave = wait
        made = register(app, found.url)
        job = new_job(app, "one")
        retitle(app, job, "two")
        with worker(app) as process:
            eventually("the receiver has the event", lambda: len(found.requests) == 1)
            process.send_signal(signal.SIGKILL)
        hold.set()
        assert statuses(app, made["id"]) == ["waiting", "waiting"]
        # Until the lease ends nobody takes it again, nor what comes after it.
        assert deliverer(app).run_once() == {"delivered": 0, "waiting": 0, "failed": 0}
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] == 2
        assert told(found, job) == ["one", "two"]
        ids = [headers["webhook-id"] for headers, _ in found.requests]
        assert len(ids) == 3 and ids[0] == ids[1] != ids[2]


def test_a_worker_killed_before_it_notes_the_outcome_loses_nothing(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url)
        job = new_job(app, "one")
        retitle(app, job, "two")
        with (
            closing(psycopg2.connect(app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):

            def lock_the_row(event: dict[str, Any]) -> int:
                if len(found.requests) == 1:
                    cursor.execute("SELECT FROM deliveries FOR UPDATE")
                return 200

            found.behave = lock_the_row
            with worker(app) as process:
                eventually("the receiver has the event", lambda: len(found.events) == 1)
                eventually("the worker waits to note it", lambda: waits_for_a_lock(app))
                process.send_signal(signal.SIGKILL)
            connection.rollback()
        # The server may have noted it after all, once it got the lock.
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] in (1, 2)
        assert told(found, job) == ["one", "two"]
    assert statuses(app, made["id"]) == ["delivered", "delivered"]


def waits_for_a_lock(app: Application) -> bool:
    found = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(run(app, found)[0][0])


def test_workers_killed_at_any_moment_lose_nothing_and_keep_the_order(app: Application) -> None:
    chance = random.Random(7)

    def unsteady(event: dict[str, Any]) -> int:
        time.sleep(chance.random() / 50)
        return 500 if chance.random() < 0.2 else 200

    titles = [f"title {number}" for number in range(4)]
    with receiver() as found:
        found.behave = unsteady
        made = register(app, found.url)
        jobs = [new_job(app, titles[0]) for _ in range(8)]
        for title in titles[1:]:
            for job in jobs:
                retitle(app, job, title)
        for _ in range(2):
            before = len(found.requests)
            with worker(app):
                eventually("some were sent", lambda before=before: len(found.requests) > before + 4)  # type: ignore[misc]
            let_time_pass(app)
        found.behave = lambda event: 200
        deliverer(app).run_once()
    assert set(statuses(app, made["id"])) == {"delivered"}
    assert {job: told(found, job) for job in jobs} == dict.fromkeys(jobs, titles)


def test_two_workers_send_each_event_once(app: Application) -> None:
    with receiver() as found:
        register(app, found.url)
        with thread_worker(app), thread_worker(app):
            for number in range(30):
                new_job(app, f"job {number}")
            eventually("all came", lambda: len({event["id"] for event in found.events}) == 30)
        assert len(found.requests) == 30


def test_a_worker_that_is_stopped_finishes_what_it_is_at(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url)
        with worker(app) as process:
            stopping = threading.Event()

            def stop_it(event: dict[str, Any]) -> int:
                process.terminate()
                stopping.set()
                time.sleep(0.2)
                return 200

            found.behave = stop_it
            new_job(app)
            assert stopping.wait(60) and process.wait(60) == 0
    assert statuses(app, made["id"]) == ["delivered"]


def test_a_long_backlog_of_one_subject_is_sent_in_order(app: Application) -> None:
    """More than one look of the worker takes in; what stands behind is not looked at again each time."""
    with receiver() as found:
        found.behave = lambda event: 500
        register(app, found.url)
        job = new_job(app, "title 0")
        for number in range(1, 8):
            retitle(app, job, f"title {number}")
        copies = """
            INSERT INTO deliveries (tenant_id, webhook_id, event_id, event_type, subject, body)
            SELECT tenant_id, webhook_id, event_id || n, event_type, subject, replace(body, 'title 7', 'title ' || n)
            FROM (SELECT * FROM deliveries ORDER BY id DESC LIMIT 1) AS d
            CROSS JOIN generate_series(8, 79) AS n
            ORDER BY n
        """
        run(app, copies)
        deliverer(app).run_once()
        run(app, "UPDATE webhooks SET rests_until = '-infinity'")
        deliverer(app).run_once()
        due = run(app, "SELECT count(*) FROM deliveries WHERE due_at <= now()")[0][0]
        assert due < 80, "what waits for the first one is looked at again and again"
        found.behave = lambda event: 200
        let_time_pass(app)
        assert deliverer(app).run_once()["delivered"] == 80
    assert [event["data"]["title"] for event in found.events] == [f"title {number}" for number in range(80)]
