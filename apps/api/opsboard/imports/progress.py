"""Progress of an import: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, TextIO

from psycopg2.extensions import connection as Connection
from tqdm import tqdm


class Progress:
    """Says nothing; what a program that calls an import gets unless it asks for more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def expect(self, total: int) -> None:
        """So many bytes will be read."""

    def advance(self, read: int) -> None:
        """So many more were."""

    def say(self, words: str) -> None:
        """The current step."""

    def connected(self, connection: Connection) -> None:
        """The connection all of it is done on."""

    def check(self) -> None:
        """Called before what was done is stored."""

    def stored(self) -> None:
        """All rows are stored; what follows only makes the first answers quick."""


class Bar(Progress):
    """A bar over the bytes of all files, then one word for each further step."""

    def __init__(self, stream: TextIO) -> None:
        self._bar = tqdm[None](
            total=0, unit="B", unit_scale=True, file=stream, leave=False, dynamic_ncols=True
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def expect(self, total: int) -> None:
        self._bar.reset(total)

    def advance(self, read: int) -> None:
        self._bar.update(read)

    def say(self, words: str) -> None:
        self._bar.set_description(words)


class PlainLines(Progress):
    """One line for each step; a bar would fill a log with control characters."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, words: str) -> None:
        print(words, file=self._stream, flush=True)


def progress_for(stream: TextIO | None = None) -> Progress:
    """A bar when the stream is a terminal, plain lines when it is not."""
    stream = stream or sys.stderr
    return Bar(stream) if stream.isatty() else PlainLines(stream)
