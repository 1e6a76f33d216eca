"""Number formats of a file: decimal mark, thousands separator, units."""

from __future__ import annotations

import re
from typing import Any

from opsboard.imports.guess.dates import are_dates
from opsboard.imports.guess.facts import CLOCK, NUMBER, Facts
from opsboard.imports.guess.files import SeenFile

COMMA = re.compile(r"[+-]?([0-9]{1,3}([. '\u00a0\u202f][0-9]{3})+|[0-9]+),([0-9]{1,2}|[0-9]{4,})\b.*")
POINT = re.compile(r"[+-]?([0-9]{1,3}([, '\u00a0\u202f][0-9]{3})+|[0-9]+)\.([0-9]{1,2}|[0-9]{4,})\b.*")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}([., '\u2019\u00a0\u202f])[0-9]{3}(\1[0-9]{3})*(?![0-9]).*")
UNIT = re.compile(r".*[0-9]\s*([^\W\d_]{1,5}\.?|%)")
# Both marks: the last one is that of decimals.
BOTH = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})+(?!\1)([.,])[0-9]+\b.*")
FEW = 6


def number_settings(seen: SeenFile) -> dict[str, Any]:
    """`decimal`, `thousands` and `units` of a file, where they are not plain; notes what is not sure."""
    columns = [one for one in seen.columns if one.is_number and not are_dates(one) and not one.all_are(CLOCK)]
    values = [value for one in columns for value in one.values]
    both = {pair[2] for value in values if (pair := BOTH.fullmatch(value))}
    has_comma = "," in both or any(COMMA.fullmatch(value) for value in values)
    has_point = "." in both or any(POINT.fullmatch(value) for value in values)
    if len(both) == 1:
        has_comma, has_point = "," in both, "." in both
    found: dict[str, Any] = {}
    if has_comma and not has_point:
        found["decimal"] = ","
    grouped = {mark[1] for value in values if (mark := GROUPED.fullmatch(value))}
    marks = {{"\u2019": "'", "\u00a0": " ", "\u202f": " "}.get(mark, mark) for mark in grouped}
    marks -= {"," if has_comma and not has_point else "." if has_point and not has_comma else ""}
    if len(marks) == 1:
        found["thousands"] = marks.pop()
        if not has_comma and not has_point and found["thousands"] in ".,":
            seen.notes.append(
                f"unsure: 1{found['thousands']}250 is taken for a thousand and not for a fraction"
            )
    if units := _units(columns):
        found["units"] = units
    return found


def _units(columns: list[Facts]) -> list[str]:
    units: dict[str, None] = {}
    for one in columns:
        of_column = dict.fromkeys(unit[1] for value in one.values if (unit := UNIT.fullmatch(value)))
        if NUMBER and len(of_column) <= FEW:
            units |= of_column
    return list(units) if len(units) <= FEW else []
