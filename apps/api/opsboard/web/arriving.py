"""Tracks the arrival of an HTTP/1.1 request, to decide when it may take a thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from opsboard.web.uploads import Spool

LARGEST_BODY = 1 << 20  # bytes of a request
LARGEST_HEAD = 64 << 10  # bytes of the request line and all headers
END_OF_HEAD = b"\r\n\r\n"
LONGEST_CHUNK_LINE = 8190  # bytes; as gunicorn
LARGEST_CHUNKED = 4 * LARGEST_BODY  # bytes of a body with the lines of its chunks

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,19})[ \t]*\r\n", re.IGNORECASE)
CODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")


class State(Enum):
    """The state of a request that is arriving."""

    PARTIAL = "wait for the rest"
    WHOLE = "a thread can read it without waiting"
    HEAD_TOO_LARGE = "431"
    BODY_TOO_LARGE = "413"


class Arriving:
    """The bytes of a connection's next request, as they come in.

    It finds the end of a request and nothing else: a malformed request counts as whole, so that gunicorn reads it and
    says what is wrong.
    """

    def __init__(
        self, received: bytes = b"", largest: Callable[[bytes | bytearray], int] = lambda _: 0
    ) -> None:
        self.received = bytearray(received)
        self.spool: Spool | None = None  # where a large body goes; `received` is the head alone then
        self.behind = b""  # the beginning of the next request, behind a body in the spool
        self._largest = largest  # bytes of the body of an upload that begins so
        self.expects_continue = False
        self._body_at = 0  # where the body begins; 0: the head is not whole yet
        self._length: int | None = None  # of the body; None: it comes in chunks
        self._chunk_at = 0  # where the next chunk's line begins
        self._chunked_bytes = 0  # of the chunks before it
        self._searched = 0

    @property
    def has_head(self) -> bool:
        return self._body_at > 0

    @property
    def in_memory(self) -> int:
        return len(self.received) + len(self.behind)

    def add(self, piece: bytes) -> State:
        """Take the next piece that arrived, and say what may be done now."""
        if self.spool is None:
            self.received += piece
        else:
            self.behind += self.spool.add(piece)
        return self.state()

    def close(self) -> None:
        """Give up what has arrived."""
        if self.spool is not None:
            self.spool.close()

    def state(self) -> State:
        """To be asked after each piece that was added to `received`."""
        if not self._body_at:
            if not self._find_body():
                return State.HEAD_TOO_LARGE if len(self.received) > LARGEST_HEAD else State.PARTIAL
            if self._body_at > LARGEST_HEAD:
                return State.HEAD_TOO_LARGE
        if self._length is None:
            return self._chunks()
        if self._length > LARGEST_BODY:
            return self._upload(self._length)
        return State.WHOLE if len(self.received) >= self._body_at + self._length else State.PARTIAL

    def _upload(self, length: int) -> State:
        """A body that only uploads may have: it goes to the disk."""
        if length > self._largest(self.received):
            return State.BODY_TOO_LARGE
        if self.spool is None:
            self.spool = Spool(length)
            self.behind = self.spool.add(bytes(self.received[self._body_at :]))
            del self.received[self._body_at :]
        return State.WHOLE if self.spool.is_whole else State.PARTIAL

    def _find_body(self) -> bool:
        end = self.received.find(END_OF_HEAD, max(0, self._searched - 3))
        if end < 0:
            self._searched = len(self.received)
            return False
        self._body_at = self._chunk_at = end + len(END_OF_HEAD)
        head = bytes(self.received[: self._body_at])
        length = CONTENT_LENGTH.search(head)
        coding = CODING.search(head)
        if coding:
            # Others than chunked are refused by gunicorn.
            self._length = None if coding[1].strip().lower() == b"chunked" else 0
        else:
            self._length = int(length[1]) if length else 0
        self.expects_continue = bool(EXPECT.search(head))
        return True

    def _chunks(self) -> State:
        """Go from chunk to chunk; whole at the end of the trailer, or where the framing is wrong."""
        while True:
            if self._chunk_at - self._body_at > LARGEST_CHUNKED:
                return State.BODY_TOO_LARGE
            end = self.received.find(b"\r\n", self._chunk_at)
            if end < 0:
                long = len(self.received) - self._chunk_at > LONGEST_CHUNK_LINE
                return State.WHOLE if long else State.PARTIAL
            line = CHUNK_SIZE.fullmatch(bytes(self.received[self._chunk_at : end]))
            if line is None:
                return State.WHOLE
            size = int(line[1], 16)
            if size == 0:
                # The last chunk; a trailer of headers may follow, and an empty line ends it.
                ended = self.received.find(END_OF_HEAD, end) >= 0
                if not ended and len(self.received) - end > LARGEST_HEAD:
                    return State.HEAD_TOO_LARGE
                return State.WHOLE if ended else State.PARTIAL
            after = end + 2 + size
            if self._chunked_bytes + size > LARGEST_BODY:
                return State.BODY_TOO_LARGE
            if len(self.received) < after + 2:
                return State.PARTIAL
            if self.received[after : after + 2] != b"\r\n":
                return State.WHOLE
            self._chunk_at = after + 2
            self._chunked_bytes += size
