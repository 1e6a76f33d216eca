"""Receivers of webhooks: real HTTP servers that keep what they get and misbehave as they are told to."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsboard.commands.outbox import make_deliverer
from opsboard.config import load_config
from opsboard.db.embedded import Cluster
from opsboard.features.webhooks.deliverer import Deliverer
from opsboard.settings import networks
from tests.application import SECRET, Application, running_application
from tests.clusters import fresh_database
from tests.features.test_work import run
from tests.seed import Business

HERE = "127.0.0.1/32,::1/128"


@dataclass
class Receiver:
    """Answers with what `behave` gives for each request: a status, or headers beside it."""

    port: int
    behave: Callable[[dict[str, Any]], int] = lambda event: 204
    headers: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=opsboard"

    def subjects(self) -> list[tuple[int, Any]]:
        """Id and title of the jobs of the events in the order in which they came."""
        return [(event["data"]["id"], event["data"].get("title")) for event in self.events]


@contextmanager
def application_for_webhooks(
    cluster: Cluster, seeded: tuple[str, Business, Business], **settings: Any
) -> Iterator[Application]:
    """The application on a database of its own; it may send to this machine."""
    name, alpha, beta = seeded
    settings = {"webhook_networks": networks(HERE), **settings}
    with (
        fresh_database(cluster, name) as database,
        running_application(database, alpha, beta, **settings) as application,
    ):
        yield application


def forget_webhooks(app: Application) -> None:
    run(app, "DELETE FROM deliveries")
    run(app, "DELETE FROM webhooks")
    app.poll_changes()


@contextmanager
def receiver(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = json.loads(body)
            with lock:
                found.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = found.behave(event)
            if 200 <= status < 300:
                with lock:
                    found.events.append(event)
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            pass  # a client that goes away in between is what some tests are about

    server = Server(("127.0.0.1", port), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a delivery as docs/webhooks.md tells receivers to."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    given = [part.partition(",")[2] for part in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(expected, one) for one in given)


def deliverer(app: Application, **settings: str) -> Deliverer:
    """A worker in this process, on the connections of the application."""
    return make_deliverer(load_config(environment(app, **settings), None), app.services.database)


def environment(app: Application, **settings: str) -> dict[str, str]:
    return {
        "DATABASE_URL": app.database.app_url,
        "SECRET_KEY": SECRET,
        "WEBHOOK_NETWORKS": HERE,
        "WEBHOOK_TIMEOUT": "5",
        **settings,
    }


def register(app: Application, url: str, **more: Any) -> Any:
    """A webhook for all events of jobs, unless told otherwise."""
    given = {"url": url, "events": ["job.created", "job.updated", "job.status_changed"], **more}
    answer = app.client().post("/api/webhooks", json=given)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def new_job(app: Application, title: str = "Bracket") -> int:
    answer: Any = app.client().post("/api/jobs", json={"title": title}).json
    return int(answer["id"])


def retitle(app: Application, job_id: int, title: str) -> None:
    assert app.client().patch(f"/api/jobs/{job_id}", json={"title": title}).status_code == 200


def let_time_pass(app: Application) -> None:
    """Everything that waits is due, and every lease has run out."""
    run(app, "UPDATE deliveries SET due_at = now() - interval '1 second' WHERE status = 'waiting'")
    run(app, "UPDATE webhooks SET rests_until = '-infinity'")


def statuses(app: Application, webhook_id: int) -> list[str]:
    found = "SELECT status FROM deliveries WHERE webhook_id = %s ORDER BY id"
    return [status for (status,) in run(app, found, webhook_id)]
