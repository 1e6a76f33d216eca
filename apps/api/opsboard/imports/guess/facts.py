"""A summary of one column's values: number, examples, uniqueness and kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

# Different values that are kept; of those beyond, only whether they differ is known.
MOST_VALUES = 3_000
# Texts that programs write where there is no value.
NO_VALUES = frozenset(
    {"?", "-", "--", "NULL", "null", "NaN", "nan", "n/a", "N/A", "NA", "#N/A", "None", "(null)", "\\N", "nil"}
)
NUMBER = re.compile(r"[+-]?[0-9][0-9.,'\u00a0\u202f ]*\s*([^\W\d_]{1,5}\.?|%)?")
PLAIN = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PHONE = re.compile(r"[+(]?[0-9][-+()./ \u00a00-9]{4,}")
CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
DURATION = re.compile(r"[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]")
WORDS_OF_BOOLEAN = frozenset({"true", "t", "yes", "y", "1", "on", "false", "f", "no", "n", "0", "off"})


class Facts:
    """One column of a file, as far as it was looked at."""

    def __init__(self, name: str, position: int) -> None:
        self.name = name
        self.position = position
        self.filled = 0
        self.longest = 0
        self.values: Counter[str] = Counter()
        # Of every value, also beyond those kept.
        self.hashes: set[int] = set()
        # Texts that stand for no value, with how often they do.
        self.nulls: Counter[str] = Counter()

    def add(self, value: str) -> None:
        if not value:
            return
        if value in NO_VALUES:
            self.nulls[value] += 1
            return
        self.filled += 1
        self.hashes.add(hash(value))
        if value in self.values or len(self.values) < MOST_VALUES:
            self.values[value] += 1
            self.longest = max(self.longest, len(value))
        elif len(value) > self.longest:
            self.longest = len(value)

    @property
    def distinct(self) -> int:
        return len(self.hashes)

    @property
    def is_unique(self) -> bool:
        return self.filled > 0 and self.distinct == self.filled

    def is_complete(self, rows: int) -> bool:
        return self.filled == rows

    def all_are(self, pattern: re.Pattern[str]) -> bool:
        return self.all_fit(lambda value: pattern.fullmatch(value) is not None)

    def all_fit(self, fits: Callable[[str], bool]) -> bool:
        return bool(self.values) and all(map(fits, self.values))

    def unfit(self, fits: Callable[[str], bool]) -> list[str]:
        """Values that do not fit, the most frequent first."""
        return [value for value, _ in self.values.most_common() if not fits(value)]

    @property
    def is_number(self) -> bool:
        return self.all_are(NUMBER)

    @property
    def is_boolean(self) -> bool:
        return self.all_fit(lambda value: value.lower() in WORDS_OF_BOOLEAN)

    @property
    def is_words(self) -> bool:
        """Names and categories: neither numbers nor codes, dates or addresses."""
        return (
            bool(self.values) and not self.is_number and not self.all_are(CLOCK) and not self.all_are(EMAIL)
        )


def facts_of(columns: Iterable[str]) -> list[Facts]:
    return [Facts(name, position) for position, name in enumerate(columns)]
