"""A request waits for answers about health as long as it may, once; and no answer keeps the next request waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg2.errors import InternalError_

from opsboard.db.lookout import LONGEST, Lookout
from opsboard.db.queries import Query
from opsboard.errors import DatabaseUnavailable
from opsboard.observability import record

PATIENCE = 0.15


@dataclass
class Time:
    """A clock that only waits move on, and the waits there were."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


class Answers(Future[Any]):
    """A server that answers nothing: each wait for it takes its full time."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def result(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "a wait without an end"
        self._time.waits.append(timeout)
        self._time.now += timeout
        raise TimeoutError


def query(name: str) -> Query:
    return Query(name, "SELECT 1", "")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def alive() -> list[bool]:
    """Return True if the server was heard a moment ago."""
    return [False]


@pytest.fixture
def lookout(time: Time, alive: list[bool], monkeypatch: pytest.MonkeyPatch) -> Lookout:
    """One whose server answers nothing."""
    made = Lookout(None, PATIENCE, lambda: alive[0], time)  # type: ignore[arg-type]
    monkeypatch.setattr(made._threads, "submit", lambda *_: Answers(time))
    return made


@pytest.fixture
def in_a_request(time: Time) -> Iterator[None]:
    with record.recording(record.Record(started=time.now)):
        yield


@pytest.mark.parametrize("asked", [1, 2, 5])
@pytest.mark.usefixtures("in_a_request")
def test_all_statements_of_a_request_share_its_patience(lookout: Lookout, time: Time, asked: int) -> None:
    for number in range(asked):
        with pytest.raises(DatabaseUnavailable, match="did not answer in time"):
            lookout.fetch_unbound(query(f"a.q{number}"))
    assert sum(time.waits) == pytest.approx(PATIENCE)


@pytest.mark.usefixtures("in_a_request")
def test_what_a_request_did_before_counts(lookout: Lookout, time: Time) -> None:
    time.now += 0.1
    lookout._known["a.q", None, "None"] = (("known",), time.now)
    seen = lookout.ask(query("a.q"))
    assert seen.row == ("known",) and seen.problem is not None
    assert sum(time.waits) == pytest.approx(PATIENCE - 0.1)


@pytest.mark.usefixtures("in_a_request")
def test_a_first_answer_is_waited_for_as_long_as_the_server_lives(
    lookout: Lookout, time: Time, alive: list[bool]
) -> None:
    alive[0] = True
    with pytest.raises(DatabaseUnavailable):
        lookout.ask(query("a.q"))
    assert LONGEST <= sum(time.waits) < LONGEST + PATIENCE
    # With something to tell, nobody waits longer than a request may, which has passed already.
    waits = len(time.waits)
    lookout._known["a.q", None, "None"] = (("known",), time.now)
    assert lookout.ask(query("a.q")).row == ("known",)
    assert len(time.waits) == waits


def test_a_server_that_falls_silent_meanwhile_is_no_longer_waited_for(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Lookout(None, PATIENCE, lambda: time.now < 100 + PATIENCE + 0.02, time)  # type: ignore[arg-type]
    monkeypatch.setattr(made._threads, "submit", lambda *_: Answers(time))
    with pytest.raises(DatabaseUnavailable):
        made.ask(query("a.q"))
    assert sum(time.waits) < PATIENCE + 0.04


class Changing:
    """A database whose indexes are dropped while their definitions are read."""

    def __init__(self, times: int) -> None:
        self.dropped = times

    def fetch_unbound(self, query: Query, params: Mapping[str, Any]) -> Any:
        if self.dropped:
            self.dropped -= 1
            raise InternalError_("cache lookup failed for attribute 1 of relation 25452")
        return ("read again",)


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_dropped_while_it_is_described_is_read_once_more(times: int) -> None:
    made = Lookout(Changing(times), 10.0, lambda: True)  # type: ignore[arg-type]
    if times == 1:
        assert made.ask(query("a.q")).row == ("read again",)
    else:
        with pytest.raises(InternalError_):
            made.ask(query("a.q"))
    made._threads.shutdown()


class Quick:
    """A database, and a thread pool, whose answer is there before anybody asks for it."""

    def fetch_unbound(self, query: Query, params: Mapping[str, Any]) -> Any:
        return ("quick",)

    def submit(self, run: Any, *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(run(*arguments))
        return done


def test_an_answer_that_comes_at_once_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Lookout(Quick(), PATIENCE, lambda: True)  # type: ignore[arg-type]
    monkeypatch.setattr(made, "_threads", Quick())
    found: list[Any] = []
    # In a thread of its own: a request that waits for itself never ends.
    asking = threading.Thread(
        target=lambda: found.extend(made.ask(query("a.q")).row for _ in range(2)), daemon=True
    )
    asking.start()
    asking.join(10)
    assert found == [("quick",), ("quick",)]
    assert made._running == {}
