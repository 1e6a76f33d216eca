"""Notices lines that can be read in the encoding of the mapping although they are in another one."""

from __future__ import annotations

from opsboard.imports.transcoding import WIDE

ENOUGH_TO_TELL = 1 << 14
# Control characters that no text has; Windows encodings have letters and signs at their bytes.
CONTROLS = frozenset(map(chr, range(0x80, 0xA0)))


class Misreading:
    """Looks at the lines of one file that are not ASCII.

    In an encoding of one byte a character, almost any bytes are some text: UTF-8 read as cp1252 is "SchÃ¤fer", and
    cp1252 read as latin-1 has control characters.
    """

    def __init__(self, encoding: str) -> None:
        self._is_watching = not encoding.startswith(("utf-8", *WIDE)) and _is_single_byte(encoding)
        self._is_utf8 = True
        self._has_controls = False
        self.sample = b""
        # The first line that is not ASCII.
        self.line = 0
        self.text = ""

    def note(self, number: int, raw: bytes, text: str) -> None:
        """Look at a line that could be read."""
        if not self._is_watching or raw.isascii():
            return
        if not self.line:
            self.line, self.text = number, text
        if len(self.sample) < ENOUGH_TO_TELL:
            self.sample += raw + b"\n"
        self._has_controls = self._has_controls or not CONTROLS.isdisjoint(text)
        if self._is_utf8:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                self._is_utf8 = False

    @property
    def is_found(self) -> bool:
        return self.line > 0 and (self._is_utf8 or self._has_controls)


def _is_single_byte(encoding: str) -> bool:
    return len(bytes(range(256)).decode(encoding, "replace")) == 256
