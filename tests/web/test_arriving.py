"""Where a request ends, whatever the pieces it arrives in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.web.arriving import LARGEST_BODY, LARGEST_HEAD, Arriving, State

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
WHOLE = [
    GET,
    POST + b"Content-Length: 5\r\n\r\nhello",
    POST + b"content-length:5 \r\n\r\nhello",
    POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nh\r\n4\r\n\r\n0\r\r\n0\r\nX: y\r\n\r\n",
]


def states(*pieces: bytes) -> list[State]:
    arriving, found = Arriving(), []
    for piece in pieces:
        arriving.received += piece
        found.append(arriving.state())
    return found


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 200), max_size=8))
def test_a_request_is_whole_at_its_last_byte_and_not_before(request: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(request), *(cut % len(request) for cut in cuts)})
    pieces = [request[start:end] for start, end in pairwise(edges)]
    found = states(*pieces)
    assert found == [State.PARTIAL] * (len(pieces) - 1) + [State.WHOLE]


@pytest.mark.parametrize("framed", [b"-1\r\n", b"0x5\r\n", b"\r\n", b"5\r\nhelloX\r\n", b"x" * 9000])
def test_what_is_malformed_is_for_gunicorn_to_refuse(framed: bytes) -> None:
    assert states(POST + b"Transfer-Encoding: chunked\r\n\r\n" + framed) == [State.WHOLE]


def test_what_is_too_large_is_known_before_it_has_arrived() -> None:
    assert states(POST + b"Content-Length: %d\r\n\r\n" % (LARGEST_BODY + 1)) == [State.BODY_TOO_LARGE]
    assert states(POST + b"Content-Length: %d\r\n\r\n" % LARGEST_BODY) == [State.PARTIAL]
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert states(chunked + b"%x\r\n" % (LARGEST_BODY + 1)) == [State.BODY_TOO_LARGE]
    assert states(chunked + b"5\r\nhello\r\n%x\r\n" % (LARGEST_BODY - 4)) == [State.BODY_TOO_LARGE]
    assert states(chunked + b"5\r\nhello\r\n%x\r\n" % (LARGEST_BODY - 5)) == [State.PARTIAL]
    assert states(b"GET / HTTP/1.1\r\n" + b"x" * LARGEST_HEAD) == [State.HEAD_TOO_LARGE]
    assert states(chunked + b"0\r\n" + b"x" * (LARGEST_HEAD + 9)) == [State.HEAD_TOO_LARGE]
