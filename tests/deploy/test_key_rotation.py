"""SECRET_KEY is changed by reloads under load: nobody is signed out, and links and cursors go on working."""

from __future__ import annotations

import http.client
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opsboard.auth.api_tokens import ApiTokens
from opsboard.auth.devices import Devices
from opsboard.auth.links import Link, read_token, write_token
from opsboard.auth.revocations import Revocations
from opsboard.auth.tokens import Tokens
from opsboard.db.list_statement import Position
from opsboard.errors import InvalidInput, NotFound, NotSignedIn
from opsboard.web.cursors import Cursor, read_cursor, write_cursor
from tests.application import SECRET
from tests.clusters import FreshDatabase
from tests.deploy.conftest import Person
from tests.deploy.http_client import Answer
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.seed import PASSWORD
from tests.waiting import eventually

NEXT = "the next secret of the tests that is long enough"
LINK = Link(1, 2, 4_000_000_000)


def test_everything_signed_with_an_accepted_key_is_valid_and_the_newest_signs() -> None:
    old, new = Tokens(SECRET, 3600), Tokens(NEXT, 3600, accepted=[SECRET])
    token = old.issue(1, 2, "admin", 1)
    assert new.verify(token).user_id == 2
    with pytest.raises(NotSignedIn):
        old.verify(new.issue(1, 2, "admin", 1))
    with pytest.raises(NotSignedIn):
        Tokens(NEXT, 3600).verify(token)

    maker, reader = ApiTokens(SECRET, Revocations()), ApiTokens(NEXT, Revocations(), accepted=[SECRET])
    assert reader.business_of(maker.token_of(maker.new_hint(7))) == 7
    with pytest.raises(NotSignedIn):
        maker.business_of(reader.token_of(reader.new_hint(7)))

    link = write_token(SECRET, LINK)
    assert read_token(NEXT, link, accepted=[SECRET]) == LINK
    for accepted in ((), ("x" * 40,)):
        with pytest.raises(NotFound):
            read_token(NEXT, link, accepted=accepted)

    cursor = write_cursor(SECRET, "jobs", Cursor("id", Position("1", 1, False)))
    assert read_cursor(NEXT, "jobs", cursor, [SECRET]).sort == "id"
    with pytest.raises(InvalidInput):
        read_cursor(NEXT, "jobs", cursor)

    device = Devices(SECRET).remember("", "a@b.example")
    assert Devices(NEXT, [SECRET]).known(device, "a@b.example") and not Devices(NEXT).known(
        device, "a@b.example"
    )


class People:
    """Threads that read with their first and their newest token and renew it; counts answers of 401."""

    def __init__(self, server: Gunicorn, tokens: list[str]) -> None:
        self._server = server
        self._stop = threading.Event()
        self.signed_out: list[str] = []
        self.answers: Counter[int] = Counter()
        self._threads = [threading.Thread(target=self._go_on, args=(token,)) for token in tokens]

    def _go_on(self, first: str) -> None:
        client, newest = self._server.client(), first
        while not self._stop.is_set():
            try:
                for token in (first, newest):
                    self._judge("read", client.get("/api/auth/me", Authorization=f"Bearer {token}"))
                renewed = client.post("/api/auth/renew", {}, Authorization=f"Bearer {newest}")
                self._judge("renew", renewed)
                if renewed.status == 200:
                    newest = renewed.json["access_token"]
            # A worker that ends may close a connection that waits: that signs nobody out.
            except (OSError, http.client.HTTPException):
                continue

    def _judge(self, what: str, answer: Answer) -> None:
        self.answers[answer.status] += 1
        if answer.status == 401:
            self.signed_out.append(what)

    @contextmanager
    def at_work(self) -> Iterator[People]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def go_on(self) -> None:
        """Wait until so many more answers have come."""
        until = self.answers[200] + 30
        eventually("answers come", lambda: self.answers[200] >= until or bool(self.signed_out))


def test_a_key_is_changed_under_load_and_nobody_is_signed_out(
    data: FreshDatabase, people: list[Person], tmp_path: Path
) -> None:
    signing, others = tmp_path / "secret_key", tmp_path / "secret_keys"
    signing.write_text(f"{SECRET}\n")
    others.write_text(f"{NEXT}\n")
    # In files, so that the steps are those of docs/operations.md: write, reload.
    files = {"SECRET_KEY": "", "SECRET_KEY_FILE": str(signing), "SECRET_KEYS_FILE": str(others)}
    with running_gunicorn("tests.deploy.probe_app:app()", DATABASE_URL=data.app_url, **files) as server:
        with People(server, [person.token for person in people[:4]]).at_work() as load:
            load.go_on()
            old = server.workers()
            signing.write_text(f"{NEXT}\n")
            others.write_text(f"{SECRET}\n")
            server.signal(signal.SIGHUP)
            eventually(
                "all workers are new", lambda: len(server.workers()) == 2 and not server.workers() & old
            )
            load.go_on()
        assert load.signed_out == [] and 401 not in load.answers, load.answers
        # The new key signs.
        with closing(server.client()) as client:
            answer = client.post("/api/auth/login", {"email": people[0].email, "password": PASSWORD})
        assert Tokens(NEXT, 3600).verify(answer.json["access_token"])
