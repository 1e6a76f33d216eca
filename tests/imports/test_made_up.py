"""Files made up by hypothesis: either every row is stored, or exactly the bad lines are told and none is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.imports.faults import ImportRejected
from tests.imports.workshop import Workshop

MAPPING = """
[files.orders]
path = "orders.csv"
[tables.jobs]
file = "orders"
external_id = "{No}"
[tables.jobs.columns]
job_number = "J-{No}"
title = "{Title}"
quantity = "{Pieces}"
due_date = "{Due}"
status = "{Status}"
"""
STATUSES = ("draft", "active", "on_hold", "completed", "cancelled")

KEYS = st.one_of(st.integers(1, 12).map(str), st.just(""))
TITLES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters='"'), max_size=6)
PIECES = st.one_of(st.integers(-1, 3).map(str), st.just("2147483648"), st.just("many"), st.just(""))
DUE = st.one_of(
    st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)).map(str), st.sampled_from(["", "2011-02-30", "x"])
)
# Mostly good, so that some files are stored.
GOOD = st.tuples(
    st.integers(13, 99).map(str), st.just("t"), st.just("1"), st.just("2020-02-29"), st.sampled_from(STATUSES)
)
ANY = st.tuples(KEYS, TITLES, PIECES, DUE, st.sampled_from([*STATUSES, "", "late"]))
ROWS = st.one_of(
    st.lists(GOOD, max_size=5, unique_by=lambda row: row[0]), st.lists(st.one_of(GOOD, ANY), max_size=6)
)


def is_good(row: tuple[str, ...]) -> bool:
    key, title, pieces, due, status = (cell.strip() for cell in row)
    try:
        if due:
            dt.date.fromisoformat(due)
        return bool(key and title) and 1 <= int(pieces) < 2**31 and status in STATUSES
    except ValueError:
        return False


def bad_lines(rows: list[tuple[str, ...]]) -> set[int]:
    """The lines that must be told, computed without SQL."""
    keys = [row[0] for row in rows]
    return {
        number + 2
        for number, row in enumerate(rows)
        # A row of separators only is passed over.
        if any(row) and (not is_good(row) or (row[0] and row[0] in keys[:number]))
    }


@pytest.fixture
def orders(workshop: Workshop) -> Workshop:
    """A business with one file."""
    return replace(workshop, mapping=MAPPING)


@given(ROWS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_rows_are_stored_or_exactly_the_bad_lines_are_told(
    orders: Workshop, rows: list[tuple[str, ...]]
) -> None:
    orders.rows("TRUNCATE jobs CASCADE")
    lines = ["No,Title,Pieces,Due,Status", *(",".join(f'"{cell}"' for cell in row) for row in rows)]
    (orders.folder / "orders.csv").write_text("\n".join(lines) + "\n")
    expected = bad_lines(rows)
    if expected:
        with pytest.raises(ImportRejected) as refused:
            orders.run()
        assert {fault.line for fault in refused.value.rejection.first} == expected
        assert orders.counts()["jobs"] == 0
    else:
        orders.run()
        stored = orders.rows("SELECT external_id, quantity, status FROM jobs")
        assert sorted(stored) == sorted((row[0], int(row[2]), row[4]) for row in rows if any(row))
