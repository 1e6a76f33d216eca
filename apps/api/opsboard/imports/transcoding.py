"""Files in UTF-16 or UTF-32 as UTF-8, so that they can be read line by line."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO, cast

from opsboard.imports.opening import DAMAGE

# The longer marks first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = ("utf-16", "utf-32")
BUFFER = 1 << 16


def by_mark(stream: BinaryIO, encoding: str) -> tuple[BinaryIO, str]:
    """A stream that can be split into lines, and its encoding: a byte order mark counts for more than the mapping."""
    stream = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream))
    try:
        start = cast(io.BufferedReader, stream).peek(4)[:4]
    except DAMAGE:
        return stream, encoding  # reading its lines meets the damage and reports the line
    wide = next((name for mark, name in MARKS if start.startswith(mark)), "")
    if not wide and encoding.startswith(WIDE):
        wide = encoding
    if not wide:
        return stream, encoding
    return io.BufferedReader(_Transcoded(stream, wide), BUFFER), "utf-8"


def is_transcoded(stream: BinaryIO) -> bool:
    """Return True if the bytes of a stream are not those of its file."""
    return isinstance(getattr(stream, "raw", None), _Transcoded)


class _Transcoded(io.RawIOBase):
    """UTF-8 from a stream in a wide encoding. What is damaged in it becomes bytes that are no UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._rest = b""
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest and not self._is_over:
            self._rest = self._next()
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self) -> bytes:
        raw = self._stream.read(BUFFER)
        self._is_over = not raw
        try:
            return self._decoder.decode(raw, final=not raw).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self._is_over = True
            return b"\xff"
