"""A socket that keeps what the client does not read yet."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from opsboard.web.outgoing import MOST_UNSENT, Outgoing

BODY = b"x" * (4 << 20)


@pytest.fixture
def pair() -> Iterator[tuple[Outgoing, socket.socket]]:
    ours, client = socket.socketpair()
    with ours, client:
        yield Outgoing(ours), client


def test_an_answer_is_taken_at_once_and_sent_in_order_as_it_is_read(
    pair: tuple[Outgoing, socket.socket],
) -> None:
    ours, client = pair
    ours.setblocking(True)
    # As gunicorn does between two requests on a connection.
    ours.settimeout(ours.gettimeout())
    for piece in (b"head", BODY, b"tail"):
        ours.sendall(piece)
    assert ours.has_unsent
    received = b""
    while len(received) < len(BODY) + 8:
        received += client.recv(1 << 20)
        ours.send_more()
    assert received == b"head" + BODY + b"tail" and not ours.has_unsent


def test_a_streamed_answer_waits_for_its_client(pair: tuple[Outgoing, socket.socket]) -> None:
    ours, _ = pair
    ours.stream(0.01)
    with pytest.raises(TimeoutError):
        ours.sendall(BODY)


def test_more_than_may_be_kept_waits_for_its_client(
    pair: tuple[Outgoing, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsboard.web.outgoing.PATIENCE", 0.01)
    ours, _ = pair
    ours.setblocking(True)
    with pytest.raises(TimeoutError):
        ours.sendall(b"x" * (MOST_UNSENT + (8 << 20)))


def test_a_wait_in_the_workers_own_thread_is_refused(pair: tuple[Outgoing, socket.socket]) -> None:
    ours, client = pair
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    client.sendall(b"y")
    assert ours.recv(1) == b"y"
