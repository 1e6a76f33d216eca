"""The date formats of a column, from its values."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from opsboard.imports.date_formats import in_words
from opsboard.imports.guess.facts import PLAIN, Facts
from opsboard.imports.months import MONTHS

TIME = (
    r"(?P<time>(?P<gap>[ T]|, ?)(?P<hour>\d{1,2}):\d\d(?P<second>:\d\d)?(?P<fraction>\.\d{1,9})?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?(?P<zone> ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?)?"
)
ISO = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?"
)
BIG_FIRST = re.compile(r"\d{4}(?P<mark>[./-]?)\d{1,2}(?P=mark)\d{1,2}" + TIME)
SMALL_FIRST = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[./-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + TIME
)
NAMED = re.compile(
    r"(?P<first>\d{1,2}|[^\W\d_]{3,10}\.?)(?P<mark>\. ?|[ /-])(?P<second_part>\d{1,2}|[^\W\d_]{3,10}\.?)"
    r"(?P<comma>,?)(?P<mark2>[ ./-])(?P<year>\d{4}|\d{2})" + TIME
)
NAME = re.compile(r"([^\W\d_]{3,})\.?")
HINT = re.compile(
    r"date|datum|time|zeit|\bday|\btag|fecha|data\b|jour|termin|created|updated|_at$|\bon$", re.IGNORECASE
)
# Days as Excel counts them, of the years 1982 to 2064.
SERIALS = (30_000, 60_000)


def formats_of(facts: Facts) -> tuple[list[str], bool]:
    """The formats that read every value, none when there are none, and whether day and month could be the other way."""
    if not facts.values:
        return [], False
    if _is_serial(facts):
        return ["excel"], False
    day_first = _order(facts)
    found: dict[str, None] = {}
    for value in facts.values:
        one = _format(value, day_first is not False)
        if one is None or not _can_read(value, one):
            return [], False
        found[one] = None
    is_small = any("%d" in one and "%m" in one and one[:2] != "%Y" for one in found)
    return list(found), is_small and day_first is None


def are_dates(facts: Facts) -> bool:
    return bool(formats_of(facts)[0])


def words(formats: list[str]) -> str:
    return in_words(tuple(formats))


def _is_serial(facts: Facts) -> bool:
    return (
        HINT.search(facts.name) is not None
        and facts.all_are(PLAIN)
        and all(SERIALS[0] <= float(value.replace(",", ".")) <= SERIALS[1] for value in facts.values)
    )


def _order(facts: Facts) -> bool | None:
    """Return True if the day is before the month; None: nothing tells."""
    small = [found for value in facts.values if (found := SMALL_FIRST.fullmatch(value))]
    if any(int(found["one"]) > 12 for found in small):
        return True
    if any(int(found["two"]) > 12 for found in small):
        return False
    # A point is between days and months where the day is first.
    return True if any(found["mark"] == "." for found in small) else None


def _format(value: str, day_first: bool) -> str | None:
    if ISO.fullmatch(value):
        return "iso"
    if found := BIG_FIRST.fullmatch(value):
        mark = found["mark"]
        return f"%Y{mark}%m{mark}%d" + _time(found)
    if found := SMALL_FIRST.fullmatch(value):
        mark, year = found["mark"], "%Y" if len(found["year"]) == 4 else "%y"
        return mark.join(["%d", "%m", year] if day_first else ["%m", "%d", year]) + _time(found)
    if (found := NAMED.fullmatch(value)) and found["first"].isdecimal() != found["second_part"].isdecimal():
        year = "%Y" if len(found["year"]) == 4 else "%y"
        first, second = ("%d", "%b") if found["first"].isdecimal() else ("%b", "%d")
        return f"{first}{found['mark']}{second}{found['comma']}{found['mark2']}{year}" + _time(found)
    return None


def _time(found: re.Match[str]) -> str:
    if not found["time"]:
        return ""
    text = f"{found['gap']}%{'I' if found['half'] else 'H'}:%M" + ":%S" * bool(found["second"])
    if found["fraction"]:
        text += ".%f"
    if found["half"]:
        text += " %p" if found["half"].startswith(" ") else "%p"
    if found["zone"]:
        text += " %z" if found["zone"].startswith(" ") else "%z"
    return text


@lru_cache(maxsize=50_000)
def moment(value: str, date_format: str) -> datetime | None:
    """The time of a text, without its zone; None when it is none in this format."""
    try:
        if date_format == "iso":
            value = value.replace(",", ".").removesuffix(" UTC")
            return datetime.fromisoformat(_full(value)).replace(tzinfo=None)
        if date_format == "excel":
            return datetime.fromordinal(
                datetime(1899, 12, 30).toordinal() + int(float(value.replace(",", ".")))
            )
        if "%b" in date_format:
            value = NAME.sub(lambda found: str(MONTHS.get(found[1].lower(), found[0])), value)
            date_format = date_format.replace("%b", "%m")
        if "%f" in date_format:
            value = re.sub(r"(\.\d{6})\d+", r"\1", value)
        return datetime.strptime(value.replace("a.m.", "am").replace("p.m.", "pm"), date_format).replace(
            tzinfo=None
        )
    except ValueError:
        return None


def _full(value: str) -> str:
    """Days and hours with two digits, and a fraction of six, which Python wants."""
    value = re.sub(r"(?<!\d)(\d)(?!\d)", r"0\1", value)
    value = re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), value)
    return re.sub(r" (?=[+-]\d\d|Z)", "", value)


def _can_read(value: str, date_format: str) -> bool:
    return moment(value, date_format) is not None
