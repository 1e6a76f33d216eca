"""Reads one HTTP/1.1 answer out of the bytes that came."""

from __future__ import annotations

from typing import NamedTuple

NO_BODY = (204, 304)


class Answer(NamedTuple):
    """One answer as it came; each line of `head` ends with CRLF. `keeps`: the connection can be used again."""

    status: int
    head: bytes
    body: bytes
    keeps: bool


class WrongAnswer(Exception):
    """The server answered something else than was asked for: its speed means nothing."""


def read_answer(received: bytes, ended: bool = False) -> Answer | None:
    """The first answer if it is there as a whole; `ended`: the server has closed, no more will come."""
    at = received.find(b"\r\n\r\n")
    if at < 0:
        return None
    body = at + 4
    head = received[: at + 2].lower()
    status = int(head[9:12])
    keeps = head.startswith(b"http/1.1") and b"\r\nconnection: close" not in head
    length = head.find(b"\r\ncontent-length:")
    if status in NO_BODY:
        end: int | None = body
    elif b"\r\ntransfer-encoding: chunked" in head:
        end = end_of_chunks(received, body)
    elif length >= 0:
        end = body + int(head[length + 17 : head.index(b"\r\n", length + 17)])
    else:
        end, keeps = (len(received) if ended else None), False
    if end is None or end > len(received):
        return None
    return Answer(status, received[: at + 2], received[body:end], keeps and end == len(received))


def end_of_chunks(received: bytes, at: int) -> int | None:
    """Where a chunked body ends, its trailer included; None if that has not come yet."""
    while (line := received.find(b"\r\n", at)) >= 0:
        size = int(received[at:line].partition(b";")[0], 16)
        if size == 0:
            end = received.find(b"\r\n\r\n", line)
            return end + 4 if end >= 0 else None
        at = line + 2 + size + 2
    return None


def check(answer: Answer, status: int, expected: list[bytes]) -> None:
    """Raise WrongAnswer unless this is the answer the scenario is about."""
    if answer.status != status or any(piece not in answer.head for piece in expected):
        options = b", ".join(expected).decode("latin-1")
        raise WrongAnswer(f"expected {status} {options}; got {answer.head.decode('latin-1')!r}")
