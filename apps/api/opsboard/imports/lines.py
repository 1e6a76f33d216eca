"""The physical lines of a file, with their numbers, however damaged they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from opsboard.imports.misreading import Misreading
from opsboard.imports.opening import DAMAGE
from opsboard.imports.transcoding import is_transcoded

# Longer lines are not kept in memory: one fault each, then on to the next line.
LONGEST_LINE = 1 << 20
ENOUGH_TO_TELL = 1 << 14


class Line(NamedTuple):
    """One line: its number, its text and, when it cannot be one, where in it and why not."""

    number: int
    text: str
    # The text before the damage, to say in which column it is.
    before: str = ""
    damage: str = ""


class Lines:
    """Reads lines one by one; those that turn out to belong to another record can be given back."""

    def __init__(self, stream: BinaryIO, encoding: str, advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._encoding = encoding
        self._advance = advance
        self._number = 0
        self._is_over = False
        self._returned: list[Line] = []
        # Some of the lines that are not in the encoding, to tell which one they are in.
        self.undecodable = b""
        self.misreading = Misreading(encoding)

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        if self._returned:
            return self._returned.pop()
        try:
            raw = b"" if self._is_over else self._stream.readline(LONGEST_LINE + 1)
        except DAMAGE as error:
            self._is_over = True
            self._number += 1
            return Line(self._number, "", "", f"cannot be unpacked, nor what follows: {error}")
        if not raw:
            raise StopIteration
        self._advance(len(raw))
        self._number += 1
        if self._number == 1 and self._encoding == "utf-8":
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if len(raw) > LONGEST_LINE:
            return self._too_long(raw)
        return self._decoded(raw.removesuffix(b"\n").removesuffix(b"\r"))

    def give_back(self, lines: Iterable[Line]) -> None:
        """These come next again."""
        self._returned.extend(reversed(list(lines)))

    def _decoded(self, raw: bytes) -> Line:
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            if len(self.undecodable) < ENOUGH_TO_TELL and not is_transcoded(self._stream):
                self.undecodable += raw + b"\n"
            before = raw[: error.start].decode(self._encoding, "replace")
            text = raw.decode(self._encoding, "replace").replace("\0", "")
            damage = f"byte 0x{raw[error.start]:02x} (character {len(before) + 1}) is not {self._encoding}"
            return Line(self._number, text, before, damage)
        self.misreading.note(self._number, raw, text)
        if "\0" in text:
            before = text[: text.index("\0")]
            damage = f"has a NUL character (character {len(before) + 1})"
            return Line(self._number, text.replace("\0", ""), before, damage)
        return Line(self._number, text)

    def _too_long(self, raw: bytes) -> Line:
        start = raw[:200].decode(self._encoding, "replace").replace("\0", "")
        while raw and not raw.endswith(b"\n"):
            try:
                raw = self._stream.readline(LONGEST_LINE)
            except DAMAGE:
                self._is_over, raw = True, b""
            self._advance(len(raw))
        return Line(self._number, start, start, f"is longer than {LONGEST_LINE:,} bytes")
