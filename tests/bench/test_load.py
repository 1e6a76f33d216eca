"""The load generator against servers that keep, close, chunk, and answer wrongly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from opsboard_bench.load.answers import WrongAnswer, read_answer
from opsboard_bench.load.connections import exchange
from opsboard_bench.load.jobs import Figures, Job, run

REQUEST = "GET / HTTP/1.1\r\nHost: here\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nX-Cache: HIT\r\nContent-Length: 5\r\n\r\nhello"
CLOSING = PLAIN.replace(b"X-Cache", b"Connection: close\r\nX-Cache")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;note=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 NOT MODIFIED\r\nContent-Length: 5\r\nX-Cache: HIT\r\n\r\n"
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\nX-Cache: HIT\r\n\r\nhello"

# Given the number of requests answered on this connection so far: what is sent, and whether it stays open.
Behaviour = Callable[[int], tuple[bytes, bool]]


@contextmanager
def server(behaviour: Behaviour, asked: list[bytes] | None = None) -> Iterator[str]:
    """A server that answers each request as told, and notes it in `asked`; ends with the block."""
    with TemporaryDirectory(prefix="ob-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "s")
        listener.bind(path)
        listener.listen()
        accepting = threading.Thread(target=accept, args=(listener, behaviour, asked), daemon=True)
        accepting.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def accept(listener: socket.socket, behaviour: Behaviour, asked: list[bytes] | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=talk, args=(connection, behaviour, asked), daemon=True).start()


def talk(connection: socket.socket, behaviour: Behaviour, asked: list[bytes] | None) -> None:
    # The client may be gone already: it stops at the first wrong answer.
    with connection, suppress(ConnectionError):
        answered = 0
        while request := connection.recv(65536):
            if asked is not None:
                asked.append(request)
            answer, stays = behaviour(answered)
            # In pieces, as a network may deliver it.
            for at in range(0, len(answer), 40):
                connection.sendall(answer[at : at + 40])
            if not stays:
                return
            answered += 1


def measure(address: str, status: int = 200, expected: tuple[str, ...] = (), connections: int = 2) -> Figures:
    return run(Job(address, REQUEST, status, list(expected), connections, 0.05, warm_up=2, cores=[]))


def test_a_kept_connection_is_used_again() -> None:
    with server(lambda answered: (PLAIN, True)) as address:
        figures = measure(address, expected=("X-Cache: HIT",))
    assert figures.answers > 0
    assert figures.exchanges >= figures.answers + 2 * 2
    assert figures.reconnects == 0


def test_a_connection_that_is_closed_after_each_answer_is_opened_again() -> None:
    with server(lambda answered: (CLOSING, False)) as address:
        figures = measure(address)
    assert figures.answers > 0
    assert figures.reconnects == figures.exchanges


def test_a_connection_closed_without_a_word_between_two_requests_costs_no_answer() -> None:
    with server(lambda answered: (PLAIN if answered < 3 else b"", answered < 3)) as address:
        figures = measure(address)
    assert figures.answers > 0
    assert 0 < figures.reconnects < figures.exchanges


def test_a_chunked_answer_ends_where_its_trailer_ends() -> None:
    with server(lambda answered: (CHUNKED, True)) as address:
        figures = measure(address)
    assert figures.answers > 0
    assert figures.reconnects == 0


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    with server(lambda answered: (UNTIL_THE_END, False)) as address:
        assert exchange(address, REQUEST.encode()).body == b"hello"
        assert measure(address).answers > 0


def test_a_304_has_no_body_whatever_its_length_says() -> None:
    with server(lambda answered: (NOT_MODIFIED, True)) as address:
        figures = measure(address, status=304, expected=("X-Cache: HIT",))
    assert figures.answers > 0
    assert figures.reconnects == 0


def test_a_conditional_connection_names_the_etag_it_was_given() -> None:
    asked: list[bytes] = []
    tagged = PLAIN.replace(b"X-Cache", b'ETag: "v1"\r\nX-Cache')
    with server(lambda answered: (NOT_MODIFIED if answered else tagged, True), asked) as address:
        figures = run(Job(address, REQUEST, 304, [], 1, 0.05, warm_up=2, cores=[], conditional=True))
    assert figures.answers > 0
    assert asked[0] == REQUEST.encode()
    assert set(asked[1:]) == {b'GET / HTTP/1.1\r\nHost: here\r\nIf-None-Match: "v1"\r\n\r\n'}


def test_one_connection_gives_a_latency_for_each_answer() -> None:
    with server(lambda answered: (PLAIN, True)) as address:
        figures = measure(address, connections=1)
    assert len(figures.latencies) == figures.answers
    assert all(0 < latency < 5e9 for latency in figures.latencies)


def test_an_answer_that_takes_longer_than_the_measurement_is_counted_with_the_time_it_took() -> None:
    begun = threading.Event()

    def behaviour(answered: int) -> tuple[bytes, bool]:
        if answered >= 2:
            begun.wait(0.2)  # nobody sets it: longer than the 0.05 s that are measured
        return PLAIN, True

    with server(behaviour) as address:
        figures = measure(address, connections=1)
    assert figures.answers == len(figures.latencies) == 1
    assert figures.seconds > 0.1


def test_a_single_wrong_answer_refuses_the_measurement() -> None:
    wrong = PLAIN.replace(b"HIT", b"MISS")
    refused = pytest.raises(WrongAnswer, match="expected 200 X-Cache: HIT")
    with server(lambda answered: (wrong if answered == 6 else PLAIN, True)) as address, refused:
        measure(address, expected=("X-Cache: HIT",))


def test_a_wrong_answer_while_warming_up_is_not_counted() -> None:
    cold = PLAIN.replace(b"HIT", b"MISS")
    with server(lambda answered: (PLAIN if answered else cold, True)) as address:
        assert measure(address, expected=("X-Cache: HIT",)).answers > 0


@pytest.mark.parametrize("answer", [b"", PLAIN[:-1], CHUNKED[:-2]])
def test_a_server_that_hangs_up_instead_of_answering_refuses_the_measurement(answer: bytes) -> None:
    calls = count()
    refused = pytest.raises(WrongAnswer, match="closed")
    # Answers in the end, so that a client that goes on trying is seen and not waited for.
    with server(lambda _: (answer, False) if next(calls) < 20 else (PLAIN, True)) as address, refused:
        measure(address)


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED, NOT_MODIFIED, CLOSING])
def test_an_answer_is_read_only_when_all_of_it_is_there(whole: bytes) -> None:
    for end in range(len(whole)):
        assert read_answer(whole[:end]) is None
    answer = read_answer(whole)
    assert answer is not None
    assert answer.keeps == (whole != CLOSING)


def test_bytes_after_an_answer_end_the_connection_and_not_the_answer() -> None:
    answer = read_answer(PLAIN + b"stray")
    assert answer is not None
    assert (answer.body, answer.keeps) == (b"hello", False)
