"""Which encoding a file is in, when it is not the one the mapping says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from charset_normalizer import from_bytes

from opsboard.imports.staging import Source

# Those that files of businesses are in; the letters of each are looked at in this order.
SINGLE_BYTE = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp850", "cp437", "mac_roman")
SIGNS = "\u20ac\u2013\u2019\u00b0\u00a0"  # the euro, a dash, an apostrophe, degrees, a wide space
# So few characters tell nothing about a language.
FEW = 40


def encoding_of(sample: bytes) -> str | None:
    """The encoding in which bytes are words; None when they are in none that is known."""
    for encoding in ("utf-8", *(["utf-16-le", "utf-16-be"] if b"\0" in sample else [])):
        if _decodes(sample, encoding) and not (b"\0" in sample and encoding == "utf-8"):
            return encoding
    if sum(byte > 127 for byte in sample) >= FEW:
        best = from_bytes(
            sample, cp_isolation=[*SINGLE_BYTE, "shift_jis", "gb18030", "big5", "euc_kr"]
        ).best()
        if best:
            return best.encoding
    return next((name for name in SINGLE_BYTE if _has_words(sample, name)), None)


def encoding_faults(sources: Mapping[str, Source]) -> Iterator[str]:
    """One line for each file that is in another encoding than its mapping says."""
    for name, source in sources.items():
        misreading = source.records.misreading
        sample = source.records.undecodable or (misreading.sample if misreading.is_found else b"")
        if sample:
            found = encoding_of(sample)
            advice = (
                f'encoding = "{found}" in files.{name} reads it'
                if found
                else "it fits no encoding that is known"
            )
            yield f"{source.file.path} is not in {source.file.encoding}; {advice}"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _has_words(sample: bytes, encoding: str) -> bool:
    """Return True if all that is beyond ASCII are letters, and signs that stand in texts."""
    if not _decodes(sample, encoding):
        return False
    others = [character for character in sample.decode(encoding) if not character.isascii()]
    return all(unicodedata.category(one)[0] == "L" or one in SIGNS for one in others)
