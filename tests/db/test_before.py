"""A statement is prepared although other SQL is sent in front of it."""

from __future__ import annotations

from opsboard.db.database import Database
from opsboard.db.lookout import patient_only_briefly
from opsboard.db.pool import Pool
from opsboard.db.queries import Query
from tests.clusters import FreshDatabase

LOCK_TIMEOUT = Query(
    "health.example", "SELECT current_setting('lock_timeout'), pg_backend_pid()", "Its lock timeout."
)
PREPARED = Query(
    "health.prepared", "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%lock_tim%%'", ""
)


def test_a_patient_statement_is_prepared_and_waits_briefly_for_locks(database: FreshDatabase) -> None:
    pool = Pool(0, 1, database.app_url, timeout=5.0)
    try:
        asks = Database(pool, 30.0, prepared_statements=4)
        rows = {asks.fetch_unbound(patient_only_briefly(LOCK_TIMEOUT)) for _ in range(3)}
        assert len(rows) == 1 and rows.pop()[0] == "50ms"  # type: ignore[index]
        assert asks.fetch_unbound(PREPARED) == (1,)
        assert asks.fetch_unbound(LOCK_TIMEOUT)[0] == "0", "of its transaction alone"  # type: ignore[index]
    finally:
        pool.closeall()
