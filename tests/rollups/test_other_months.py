"""Rows of every table cut by month that an UPDATE moves to another month are counted where they are now, and noted."""

from __future__ import annotations

import pytest

from tests.rollups.conftest import Books
from tests.rollups.test_changes import forget, noted

# Each with a change of what its rows are counted by, where they are.
CUT_BY_MONTH = {
    "lead_status_history": "to_status = 'won'",
    "approval_history": "acted_by = NULL",
    "campaign_tracking_events": "kind = 'opened'",
    "workflow_execution_monitoring": "status = 'failed', finished_at = now()",
    "messages": "direction = CASE direction WHEN 'in' THEN 'out' ELSE 'in' END",
    "journey_node_executions": "journey_id = (SELECT max(id) FROM journeys WHERE tenant_id = 1)",
    "audit_logs": "user_id = NULL",
}
# On the first of a month all rows of the seed lie in the partition of old ones, where the move would leave them.
PRESENT = {
    "workflow_execution_monitoring": ", finished_at = CASE WHEN finished_at IS NOT NULL THEN now() END"
}
TABLES = """
SELECT c.relname, a.attname
FROM pg_partitioned_table AS p
JOIN pg_class AS c ON c.oid = p.partrelid
JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
"""


def places(books: Books, table: str) -> dict[int, str]:
    return dict(books.run(f"SELECT id, tableoid::regclass::text FROM {table} WHERE tenant_id = 1"))


def test_every_table_cut_by_month_is_known_here(books: Books) -> None:
    assert {table for table, _ in books.run(TABLES)} == CUT_BY_MONTH.keys()


@pytest.mark.parametrize("also", [False, True], ids=["moved", "moved and changed"])
@pytest.mark.parametrize("table", CUT_BY_MONTH)
def test_rows_that_move_to_another_month_are_counted_and_noted(books: Books, table: str, also: bool) -> None:
    cut_by = dict(books.run(TABLES))[table]
    changed = f"{cut_by} = {cut_by} - interval '20 years'" + f", {CUT_BY_MONTH[table]}" * also
    books.run(f"UPDATE {table} SET {cut_by} = now(){PRESENT.get(table, '')} WHERE tenant_id = 1")
    books.fold()
    before = places(books, table)
    forget(books)
    books.run(f"UPDATE {table} SET {changed} WHERE tenant_id = 1")
    after = places(books, table)
    assert before.keys() == after.keys()
    assert any(before[row] != after[row] for row in before), "none has moved: nothing is proven by that"
    assert noted(books) == {(1, table)}
    assert books.differences() == []
    books.fold()
    assert noted(books) == {(1, table)}
    assert books.differences() == []
