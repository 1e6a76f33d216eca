"""Dates read by the database equal those read by Python; what is none is NULL, never an error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports import date_formats
from tests.clusters import FreshDatabase

FORMATS = [
    "%Y-%m-%d",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y%m%d",
    "%d-%b-%Y",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "100%% %Y (%m) [%d]",
]
ZONE = "America/New_York"
FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def reader(database: FreshDatabase) -> Iterator[Cursor]:
    """A session with a function read_<n> for each format and read_all for all of them."""
    with closing(psycopg2.connect(database.app_url)) as connection:
        cursor = connection.cursor()
        for number, date_format in enumerate(FORMATS):
            name = sql.Identifier("pg_temp", f"read_{number}")
            cursor.execute(date_formats.function(name, (date_formats.check(date_format),)))
        cursor.execute(date_formats.function(sql.Identifier("pg_temp", "read_all"), tuple(FORMATS)))
        yield cursor


def read(reader: Cursor, function: str, text: str) -> dt.datetime | None:
    reader.execute(sql.SQL("SELECT {}(%s, %s)").format(sql.Identifier("pg_temp", function)), (text, ZONE))
    row = reader.fetchone()
    assert row is not None
    found: dt.datetime | None = row[0]
    return found


@given(
    # Not at night: there a clock skips an hour or shows it twice.
    st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)).filter(
        lambda moment: moment.hour == 0 or moment.hour > 3
    ),
    st.sampled_from(range(len(FORMATS))),
)
@FAST
def test_a_written_date_is_read_as_python_reads_it(reader: Cursor, moment: dt.datetime, number: int) -> None:
    text = moment.strftime(FORMATS[number])
    expected = dt.datetime.strptime(text, FORMATS[number])
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=ZoneInfo(ZONE))
    found = read(reader, f"read_{number}", text)
    assert found is not None
    assert found == expected


NEARLY = st.one_of(
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-5][0-9]", fullmatch=True),
    st.from_regex(r"[0-9]{8}", fullmatch=True),
    # Digits of another script are no part of a date, whatever the locale says.
    st.from_regex(r"[\u0661-\u0669]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} .", fullmatch=True),
)


@given(NEARLY)
@FAST
def test_what_is_no_date_is_null_and_never_an_error(reader: Cursor, text: str) -> None:
    expected = None
    for date_format in FORMATS:
        try:
            expected = expected or (dt.datetime.strptime(text, date_format) if text.isascii() else None)
        except ValueError:
            continue
    found = read(reader, "read_all", text)
    assert (found is None) == (expected is None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6/3/2011 9:05:00", "2011-06-03T13:05:00"),
        ("2024-05-01T10:00:00.5Z", "2024-05-01T10:00:00.5"),
        ("2024-05-01T10:00:00.25+02:00", "2024-05-01T08:00:00.25"),
        ("2024-05-01T10:00:00.000001-0530", "2024-05-01T15:30:00.000001"),
        ("3-oct-2011", "2011-10-03T04:00:00"),
        ("2012-02-29", "2012-02-29T05:00:00"),
        ("2011-02-29", None),
        ("2011-00-10", None),
        ("2011-10-00", None),
        ("0000-10-10", None),
        ("1.1.2011 24:00", None),
        ("1/1/2011 0:00:60", None),
        ("", None),
    ],
)
def test_dates_and_what_is_none(reader: Cursor, text: str, expected: str | None) -> None:
    found = read(reader, "read_all", text)
    assert found == (dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC) if expected else None)
