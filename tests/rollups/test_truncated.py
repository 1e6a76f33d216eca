"""A comparison of counts reports no false difference while another session truncates a counted table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.application import Application
from tests.contract.test_every_query import explain, nodes
from tests.rollups.conftest import DIFFERENCES, Books
from tests.rollups.test_rollups import ALL_SOURCES
from tests.waiting import eventually

WAITING = """
SELECT count(*) FROM pg_locks AS k
JOIN pg_stat_activity AS a ON a.pid = k.pid
WHERE a.datname = current_database() AND NOT k.granted
"""


@pytest.mark.parametrize("table", ALL_SOURCES)
def test_a_comparison_that_waits_for_a_truncate_sees_what_it_left(books: Books, table: str) -> None:
    """The one that is held up had begun before the TRUNCATE ended: rows gone and counts kept would be a difference."""
    assert books.run(f"SELECT count(*) > 0 FROM {table}") == [(True,)]
    with books.session() as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute(f"TRUNCATE {table} CASCADE")
        with books.session() as other, other.cursor() as comparing:

            def compare() -> list[tuple[object, ...]]:
                comparing.execute(DIFFERENCES)
                return comparing.fetchall()

            differences = pool.submit(compare)
            eventually("the comparison waits", lambda: books.run(WAITING) == [(1,)])
            connection.commit()
            assert differences.result(60) == []
    assert books.run(f"SELECT count(*) FROM {table}") == [(0,)]


def test_every_recount_is_part_of_the_statement_that_asks(app: Application) -> None:
    """A function that is called while the statement runs would lock its tables after the snapshot was taken."""
    plan = explain(app, "SELECT * FROM rollup_differences(%(tenant_id)s)", {"tenant_id": app.alpha.id})
    found = list(nodes(plan))
    called = {node.get("Function Name", "") for node in found if node["Node Type"] == "Function Scan"}
    assert called <= {"unnest", "generate_series"}
    read = {node["Relation Name"] for node in found if "Relation Name" in node}
    assert {table for table in ALL_SOURCES if not any(name.startswith(table) for name in read)} == set()
