"""Lines of spreadsheet exports that are no records: blank lines, `sep=;`, rows of totals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple


class Record(NamedTuple):
    """One record and the line it begins on. A damaged one has its fields as far as they could be told."""

    line: int
    fields: list[str]
    damage: str = ""
    # Which field is damaged; None: the line as a whole.
    field: int | None = None


SEPARATOR = re.compile(r'"?sep=(.)"?\1*', re.IGNORECASE)
TOTALS = re.compile(
    r"(grand |sub[- ]?)?totals?|(zwischen|gesamt)?summen?|gesamt|insgesamt|sum|totaal|totale|subtotal|total général"
    r"|suma|somma|soma|összesen|razem",
    re.IGNORECASE,
)
AMOUNT = re.compile(r"[^\w]*[0-9][0-9.,' \u00a0\u202f]*[^\w]*[a-z]{0,3}", re.IGNORECASE)
# A line that a list program draws between its rows.
RULE = re.compile(r"[-=_+*|]{5,}")
# The number of rows that psql prints below them, in the languages it knows.
ROWS = re.compile(r"\([0-9]+ \w+\)")
NAMED = (
    'is a row of totals; totals = "skip" in the mapping passes over it, totals = "keep" takes it for a record'
)


def is_blank(fields: Iterable[str]) -> bool:
    """A row of separators only."""
    return not any(field and not field.isspace() for field in fields)


def is_totals(fields: Sequence[str]) -> bool:
    """A row of a word for totals and amounts; in one of more than two columns, some are empty."""
    texts = [text for text in map(str.strip, fields) if text]
    if not texts or len(texts) == len(fields) > 2 or not TOTALS.fullmatch(texts[0].rstrip(" :=")):
        return False
    return len(texts) > 1 and all(AMOUNT.fullmatch(text) for text in texts[1:])


def without_leftovers(
    records: Iterable[Record], columns: list[str], totals: Literal["fault", "skip", "keep"]
) -> Iterator[Record]:
    """The records of a file; one of another width than its header is damaged. Unnamed columns may be absent."""
    width = len(columns)
    least = max((number for number, name in enumerate(columns, 1) if name), default=width)
    for record in records:
        if not record.damage:
            if is_blank(record.fields) or _is_rule(record.fields, width):
                continue
            if totals != "keep" and is_totals(record.fields):
                if totals == "skip":
                    continue
                record = record._replace(damage=NAMED)
            elif not least <= len(record.fields) <= width:
                record = record._replace(damage=f"has {_columns(len(record.fields))} instead of {width}")
        yield record


def _is_rule(fields: Sequence[str], width: int) -> bool:
    text = fields[0].strip()
    return len(fields) == 1 < width and (RULE.fullmatch(text) or ROWS.fullmatch(text)) is not None


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"
