"""Date formats of a mapping ("%Y-%m-%d %H:%M:%S"), turned into SQL that never fails on a bad date.

A cast such as ::date ends the statement at the first bad value, and to_date() takes much for a date that is
none. So each list of formats becomes one temporary function that answers NULL for what it cannot read.
"""

from __future__ import annotations

import re

from psycopg2 import sql

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Directive (the letters are strftime's) -> what it takes, and how many characters that usually is.
# Not \d: in some locales that is a digit of any script, which integer does not read.
DIRECTIVES = {
    "Y": (r"([0-9]{4})", 4),
    "m": (r"([0-9]{1,2})", 2),
    "d": (r"([0-9]{1,2})", 2),
    "b": (f"({'|'.join(MONTHS)})", 3),
    "H": (r"([0-9]{1,2})", 2),
    "M": (r"([0-9]{2})", 2),
    "S": (r"([0-9]{2})", 2),
    # Of any length: only at the end are they at a place that is known.
    "f": (r"([0-9]{1,9})", 0),
    "z": (r"(z|[+-][0-9]{2}:?[0-9]{2})", 0),
}
TOKEN = re.compile(r"%(.)|([^%]+)|%$")

FUNCTION = sql.SQL("""
CREATE FUNCTION {name}(value text, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT
AS $body$
DECLARE
    part text[];
    last_day integer;
BEGIN
{attempts}
    RETURN NULL;
END
$body$
""")

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
                RETURN make_timestamp({year}, {month}, {day}, {hour}, {minute}, {second} + {fraction})
                    AT TIME ZONE {zone};
            END IF;
        END IF;
    END IF;
""")


def check(date_format: str) -> str:
    """The format itself. Raises ValueError when it is none."""
    directives = [letter for letter, _ in TOKEN.findall(date_format) if letter]
    if date_format.replace("%%", "").endswith("%"):
        raise ValueError("ends with a single %")
    for letter in directives:
        if letter not in DIRECTIVES and letter != "%":
            known = " ".join(f"%{known}" for known in DIRECTIVES)
            raise ValueError(f"has %{letter}; known are {known}")
        if letter != "%" and directives.count(letter) > 1:
            raise ValueError(f"has %{letter} twice")
    if "Y" not in directives or "d" not in directives or ("m" in directives) == ("b" in directives):
        raise ValueError("needs a year (%Y), a month (either %m or %b) and a day (%d)")
    return date_format


def function(name: sql.Composable, formats: tuple[str, ...]) -> sql.Composed:
    """The statement that makes the function of these formats; the first that fits wins."""
    attempts = [attempt for one in formats for attempt in (_by_place(one), _by_pattern(one)) if attempt]
    return FUNCTION.format(name=name, attempts=sql.SQL("").join(attempts))


def _by_place(date_format: str) -> sql.Composed | None:
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
    return _attempt(pattern, sql.SQL(""), places)


def _by_pattern(date_format: str) -> sql.Composed:
    """Reads parts of any width: 6/3/2011."""
    places: dict[str, sql.Composable] = {}
    pattern = "^"
    for letter, plain in TOKEN.findall(date_format):
        if letter in DIRECTIVES:
            places[letter] = sql.SQL("part[{}]").format(sql.Literal(len(places) + 1))
            pattern += DIRECTIVES[letter][0]
        else:
            pattern += re.escape(plain or "%")
    split = sql.SQL("part := regexp_match(value, {}, 'i');").format(sql.Literal(pattern + "$"))
    return _attempt(pattern, split, places)


def _attempt(pattern: str, split: sql.Composable, places: dict[str, sql.Composable]) -> sql.Composed:
    def number(letter: str) -> sql.Composable:
        return sql.SQL("{}::integer").format(places[letter]) if letter in places else sql.SQL("0")

    month = number("m")
    if "b" in places:
        months = sql.Literal(list(MONTHS))
        month = sql.SQL("array_position({}::text[], lower({}))").format(months, places["b"])
    fraction = number("f")
    if "f" in places:
        fraction = sql.SQL("('0.' || {})::double precision").format(places["f"])
    return ATTEMPT.format(
        pattern=sql.Literal(pattern + "$"),
        split=split,
        year=number("Y"),
        month=month,
        day=number("d"),
        hour=number("H"),
        minute=number("M"),
        second=number("S"),
        fraction=fraction,
        zone=_zone(places),
    )


def _zone(places: dict[str, sql.Composable]) -> sql.Composable:
    """The zone a time is told in: the one it carries, or else the tenant's."""
    if "z" not in places:
        return sql.SQL("zone")
    # As an interval: the text '+02:00' would be read as a POSIX zone, which counts the other way.
    with_colon = sql.SQL(r"regexp_replace({}, '(\d\d)(\d\d)$', '\1:\2')").format(places["z"])
    return sql.SQL("(CASE WHEN lower({}) = 'z' THEN interval '0' ELSE {}::interval END)").format(
        places["z"], with_colon
    )
