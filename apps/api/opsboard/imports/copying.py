"""Feeds COPY from an iterator, a piece at a time, so that a file never lies in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import RawIOBase

# COPY's text format: these would end a value or a row.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_line(values: Iterable[str | None]) -> bytes:
    """One row in COPY's text format."""
    return ("\t".join("\\N" if v is None else v.translate(ESCAPES) for v in values) + "\n").encode()


class Copying(RawIOBase):
    """The file that copy_expert reads: the lines of an iterator joined to pieces of the wanted size."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        pieces = [self._rest]
        length = len(self._rest)
        while size < 0 or length < size:
            line = next(self._lines, None)
            if line is None:
                break
            pieces.append(line)
            length += len(line)
        joined = b"".join(pieces)
        end = len(joined) if size < 0 else size
        self._rest = joined[end:]
        return joined[:end]
