"""SQL that takes the parts of a time out of a text: what each directive of a format reads."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from psycopg2 import sql

from opsboard.imports.months import MONTHS, PATTERN

OFFSET = "z|utc|[+-][0-9]{2}(?::?[0-9]{2})?"

# Directive (the letters are strftime's) -> what it takes, and how many characters that usually is.
# Not \d: in some locales that is a digit of any script, which integer does not read.
DIRECTIVES = {
    "Y": (r"([0-9]{4})", 4),
    "y": (r"([0-9]{2})", 2),
    "m": (r"([0-9]{1,2})", 2),
    "d": (r"([0-9]{1,2})", 2),
    # Of any length: only at the end are they at a place that is known.
    "b": (f"((?:{PATTERN})\\.?)", 0),
    "H": (r"([0-9]{1,2})", 2),
    "I": (r"([0-9]{1,2})", 2),
    "M": (r"([0-9]{2})", 2),
    "S": (r"([0-9]{2})", 2),
    "p": (r"(am|pm|a\.m\.|p\.m\.)", 0),
    "f": (r"([0-9]{1,9})", 0),
    "z": (f"({OFFSET})", 0),
}
TOKEN = re.compile(r"%(.)|([^%]+)|%$")

# Names that stand for more than one format can say.
ISO = "iso"
EXCEL = {"excel": "1899-12-30", "excel1904": "1904-01-01"}
# A day's number as Excel counts, up to the end of the year 9999.
SERIAL = r"^[0-9]{1,7}([.,][0-9]{1,12})?$"
LOOSE_ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class _Parts:
    """SQL for the parts of a time; those that a format does not have are zero."""

    pattern: str
    split: sql.Composable
    year: sql.Composable
    month: sql.Composable
    day: sql.Composable
    hour: sql.Composable
    minute: sql.Composable
    second: sql.Composable
    fraction: sql.Composable
    offset: sql.Composable


ATTEMPT = sql.SQL("""
    IF value ~* {pattern} THEN
        {split}
        IF {year} BETWEEN 1 AND 9999
            AND {month} BETWEEN 1 AND 12
            AND {hour} <= 23
            AND {minute} <= 59
            AND {second} <= 59
        THEN
            last_day := extract(day FROM make_date({year}, {month}, 1) + interval '1 month - 1 day');
            IF {day} BETWEEN 1 AND last_day THEN
                shown := make_timestamp({year}, {month}, {day}, {hour}, {minute}, {second} + {fraction});
                zone_told := {offset};
                EXIT attempts;
            END IF;
        END IF;
    END IF;
""")

SERIAL_ATTEMPT = sql.SQL("""
    IF value ~ {pattern} AND replace(value, ',', '.')::numeric < 2958466 THEN
        shown := {epoch}::timestamp + make_interval(secs => round(replace(value, ',', '.')::numeric * 86400));
        EXIT attempts;
    END IF;
""")


def attempts(formats: tuple[str, ...]) -> sql.Composed:
    """The statements that read a text by each format; the first that fits leaves the block."""
    found: list[sql.Composable] = []
    for one in formats:
        if one in EXCEL:
            epoch = sql.Literal(EXCEL[one])
            found.append(SERIAL_ATTEMPT.format(pattern=sql.Literal(SERIAL), epoch=epoch))
        elif one == ISO:
            found += [_attempt(_iso()), *(_attempt(_by_pattern(loose)) for loose in LOOSE_ISO)]
        else:
            found += [_attempt(parts) for parts in (_by_place(one), _by_pattern(one)) if parts]
    return sql.SQL("").join(found)


def _iso() -> _Parts:
    """ISO 8601 as databases and programs write it: seconds, their fraction and the zone may be absent."""
    return _Parts(
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        f"([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]{{1,9}})?)?( ?({OFFSET}))?)?$",
        sql.SQL(""),
        sql.SQL("substr(value, 1, 4)::integer"),
        sql.SQL("substr(value, 6, 2)::integer"),
        sql.SQL("substr(value, 9, 2)::integer"),
        sql.SQL("coalesce(nullif(substr(value, 12, 2), ''), '0')::integer"),
        sql.SQL("coalesce(nullif(substr(value, 15, 2), ''), '0')::integer"),
        # In parentheses: PL/pgSQL would end its IF at the THEN inside.
        sql.SQL("(CASE WHEN substr(value, 17, 1) = ':' THEN substr(value, 18, 2)::integer ELSE 0 END)"),
        sql.SQL("coalesce(('0.' || substring(value, '[.,]([0-9]+)'))::double precision, 0)"),
        sql.SQL("substring(substr(value, 17), {})").format(sql.Literal(f"(?i)({OFFSET})$")),
    )


def _by_place(date_format: str) -> _Parts | None:
    """Reads parts of the usual width at their places: ten times as fast as taking a pattern apart."""
    places: dict[str, sql.Composable] = {}
    pattern, place = "^", 1
    for letter, plain in TOKEN.findall(date_format):
        if place == 0:
            return None
        if letter in DIRECTIVES:
            takes, width = DIRECTIVES[letter]
            length = sql.SQL(f", {width}" if width else "")
            places[letter] = sql.SQL("substr(value, {}{})").format(sql.Literal(place), length)
            pattern += takes.replace("{1,2}", "{2}")
            place = place + width if width else 0
        else:
            pattern += re.escape(plain or "%")
            place += len(plain or "%")
    return _parts(pattern, sql.SQL(""), places)


def _by_pattern(date_format: str) -> _Parts:
    """Reads parts of any width: 6/3/2011."""
    places: dict[str, sql.Composable] = {}
    pattern = "^"
    for letter, plain in TOKEN.findall(date_format):
        if letter in DIRECTIVES:
            places[letter] = sql.SQL("part[{}]").format(sql.Literal(len(places) + 1))
            pattern += DIRECTIVES[letter][0]
        else:
            pattern += re.escape(plain or "%")
    # Before AM and PM there is a space or none, and browsers write a narrow one.
    pattern = re.sub(r"(\\ )?(?=\(am\|)", "[ \u00a0\u202f]?", pattern)
    split = sql.SQL("part := regexp_match(value, {}, 'i');").format(sql.Literal(pattern + "$"))
    return _parts(pattern, split, places)


def _parts(pattern: str, split: sql.Composable, places: dict[str, sql.Composable]) -> _Parts:
    def number(letter: str) -> sql.Composable:
        return sql.SQL("{}::integer").format(places[letter]) if letter in places else sql.SQL("0")

    month, year, hour = number("m"), number("Y"), number("H")
    if "b" in places:
        months = sql.Literal(json.dumps(MONTHS))
        month = sql.SQL("({}::jsonb ->> lower(rtrim({}, '.')))::integer").format(months, places["b"])
    if "y" in places:
        # As POSIX reads them: 69 to 99 are of the last century.
        year = sql.SQL("({0} + CASE WHEN {0} < 69 THEN 2000 ELSE 1900 END)").format(number("y"))
    if "I" in places:
        hour = sql.SQL(
            "(CASE WHEN {0} NOT BETWEEN 1 AND 12 THEN 99 WHEN {1} ILIKE 'p%' THEN {0} % 12 + 12 ELSE {0} % 12 END)"
        ).format(number("I"), places["p"])
    fraction: sql.Composable = sql.SQL("0")
    if "f" in places:
        fraction = sql.SQL("('0.' || {})::double precision").format(places["f"])
    return _Parts(
        pattern + "$",
        split,
        year,
        month,
        number("d"),
        hour,
        number("M"),
        number("S"),
        fraction,
        places.get("z", sql.SQL("NULL")),
    )


def _attempt(parts: _Parts) -> sql.Composed:
    names = ("split", "year", "month", "day", "hour", "minute", "second", "fraction", "offset")
    return ATTEMPT.format(
        pattern=sql.Literal(parts.pattern),
        **{name: getattr(parts, name) for name in names},
    )
