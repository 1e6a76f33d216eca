"""Date formats of a mapping ("%Y-%m-%d %H:%M:%S"), turned into SQL that never fails on a bad date.

A cast such as ::date ends the statement at the first bad value, and to_date() accepts much that is no date.
So each list of formats becomes one temporary function that answers NULL for what it cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psycopg2 import sql

from opsboard.imports.time_parts import DIRECTIVES, EXCEL, ISO, TOKEN, attempts


@dataclass(frozen=True)
class TimeFormat:
    """The texts that are times, and what those mean that a clock shows twice or never."""

    formats: tuple[str, ...]
    # "order" is the first here; a time that would be before an earlier one is moved later on.
    repeated_hour: Literal["order", "first", "second", "fault"] = "order"
    missing_hour: Literal["fault", "later"] = "fault"


FUNCTION = sql.SQL("""
CREATE FUNCTION {name}(value text, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT
AS $body$
DECLARE
    part text[];
    last_day integer;
    shown timestamp;
    zone_told text;
    moment timestamptz;
    hours interval;
BEGIN
    <<attempts>>
    BEGIN
{attempts}
        RETURN NULL;
    END;
    IF zone_told ~* '^(z|utc)$' THEN
        RETURN shown AT TIME ZONE interval '0';
    ELSIF zone_told IS NOT NULL THEN
        -- As an interval of hours and minutes: the text '+02:00' would be read as a POSIX zone, which counts the other
        -- way, and '+02' as seconds.
        RETURN shown AT TIME ZONE
            (left(zone_told, 3) || ':' || coalesce(substring(zone_told, '^...:?(..)$'), '00'))::interval;
    END IF;
    moment := shown AT TIME ZONE zone;
    -- The hour that clocks skip in spring. A day, also one written with 00:00, begins when it does.
    IF shown::time <> '00:00' AND moment AT TIME ZONE zone <> shown THEN
        RETURN {missing};
    END IF;
    -- The hour that clocks show twice in autumn: Postgres takes its second time.
    IF (moment - interval '3 hours') AT TIME ZONE zone <> shown - interval '3 hours' THEN
        FOREACH hours IN ARRAY ARRAY['1 hour', '30 minutes', '2 hours', '3 hours']::interval[] LOOP
            IF (moment - hours) AT TIME ZONE zone = shown THEN
                RETURN {repeated};
            END IF;
        END LOOP;
    END IF;
    RETURN moment;
END
$body$
""")

REPEATED = {"order": "moment - hours", "first": "moment - hours", "second": "moment", "fault": "NULL"}
MISSING = {"fault": "NULL", "later": "moment"}


def check(date_format: str) -> str:
    """The format itself. Raises ValueError when it is none."""
    if date_format == ISO or date_format in EXCEL:
        return date_format
    directives = [letter for letter, _ in TOKEN.findall(date_format) if letter]
    if date_format.replace("%%", "").endswith("%"):
        raise ValueError("ends with a single %")
    for letter in directives:
        if letter not in DIRECTIVES and letter != "%":
            known = " ".join(f"%{known}" for known in DIRECTIVES)
            raise ValueError(f"has %{letter}; known are {known}, and the words {ISO}, {', '.join(EXCEL)}")
        if letter != "%" and directives.count(letter) > 1:
            raise ValueError(f"has %{letter} twice")
    if not _one_of("Yy", directives) or not _one_of("mb", directives) or "d" not in directives:
        raise ValueError("needs a year (%Y or %y), a month (either %m or %b) and a day (%d)")
    if ("I" in directives) != ("p" in directives) or {"I", "H"} <= set(directives):
        raise ValueError("has hours of 12 (%I) with %p, or hours of 24 (%H) without")
    return date_format


def _one_of(letters: str, directives: list[str]) -> bool:
    return sum(letter in directives for letter in letters) == 1


def in_words(formats: tuple[str, ...]) -> str:
    """The formats as a message names them."""
    if formats == (ISO,):
        return "is not a date like 2025-05-03, 2025-05-03 07:00 or 2025-05-03T07:00:00+02:00"
    return f"is not a date in the format {' or '.join(formats)}"


def function(name: sql.Composable, times: TimeFormat | tuple[str, ...]) -> sql.Composed:
    """The statement that makes the function of these formats; the first that fits wins."""
    times = times if isinstance(times, TimeFormat) else TimeFormat(times)
    return FUNCTION.format(
        name=name,
        attempts=attempts(times.formats),
        missing=sql.SQL(MISSING[times.missing_hour]),
        repeated=sql.SQL(REPEATED[times.repeated_hour]),
    )
