"""The parts of a list's statement, each alone."""

from __future__ import annotations

import pytest

from opsboard.db.list_parts import ENDS, envelope_row, page_cte, reached_cte
from opsboard.db.queries import Sort

NAME = Sort("c.name", "text")


@pytest.mark.parametrize(("is_descending", "direction"), [(True, "DESC"), (False, "ASC")])
def test_the_id_breaks_ties_in_the_same_direction(is_descending: bool, direction: str) -> None:
    sql = reached_cte("customers AS c", NAME, ["true"], is_descending, by_number=True)
    assert sql.count(f"ORDER BY c.name {direction}, c.id {direction}") == 2


def test_one_row_more_than_the_page_is_reached_under_all_conditions() -> None:
    sql = reached_cte("customers AS c", NAME, ["c.a = 1", "c.b = 2"], False, by_number=True)
    assert "LIMIT %(page_size)s + 1" in sql
    assert "WHERE c.a = 1\n        AND c.b = 2\n" in sql


def test_only_a_page_by_number_skips_rows() -> None:
    offset = {
        by_number: reached_cte("customers AS c", NAME, ["true"], False, by_number).rpartition("OFFSET ")[2]
        for by_number in (True, False)
    }
    assert offset[True].startswith("(%(page_number)s - 1)::bigint * %(page_size)s")
    assert offset[False].split() == ["0", ")"]


def test_a_page_read_backwards_is_turned_round() -> None:
    assert "-reached AS position" in page_cte(backwards=True)
    assert "-reached" not in page_cte(backwards=False)
    assert "(SELECT count(*) FROM reached) > %(page_size)s AS more" in ENDS


def test_only_a_counted_page_has_a_total() -> None:
    counted, by_cursor = envelope_row(True, "NULL"), envelope_row(False, "NULL")
    for member in ("'total'", "'page'", "'total_pages'"):
        assert member in counted and member not in by_cursor
    for member in ("'items'", "'page_size'", "'has_next'", "'has_previous'"):
        assert member in counted and member in by_cursor
