"""opsboard rollups verify and /api/health/rollups, asked again and again while tables are filled and truncated."""

from __future__ import annotations

import threading
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import DeadlockDetected

from tests.application import Application
from tests.commands.conftest import Run
from tests.commands.test_rollups import addresses
from tests.waiting import eventually

# A thread that dies of an error would leave the rest to pass without it.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
# Rows come in all at once and go all at once, of the first, the last and a cut one of the further tables.
FILL = """
INSERT INTO call_log (tenant_id, status) SELECT 1, 'missed' FROM generate_series(1, 50);
INSERT INTO campaign_recipients (tenant_id, campaign_id, address)
SELECT k.tenant_id, k.id, gen_random_uuid() FROM campaigns AS k WHERE k.tenant_id = 1;
INSERT INTO messages (tenant_id, conversation_id, direction, body)
SELECT v.tenant_id, v.id, 'in', 'x' FROM conversations AS v WHERE v.tenant_id = 1;
"""
EMPTY = ["TRUNCATE campaign_recipients CASCADE", "TRUNCATE messages CASCADE", "TRUNCATE call_log CASCADE"]


@pytest.mark.parametrize("turns", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_verify_and_health_tell_of_nothing_while_a_writer_fills_and_truncates(
    own_app: Application, run: Run, turns: int
) -> None:
    client, done = own_app.client(), threading.Event()
    truncated: list[str] = []

    def write() -> None:
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            while not done.is_set():
                for empty in EMPTY:
                    try:
                        cursor.execute(FILL)
                        connection.commit()
                        cursor.execute(empty)
                        connection.commit()
                        truncated.append(empty)
                    # A TRUNCATE locks tables in another order than a reader.
                    except DeadlockDetected:
                        connection.rollback()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        for _ in range(turns):
            before = len(truncated)
            answer = client.get("/api/health/rollups")
            told = run("rollups", "verify", **addresses(own_app))
            # The loser of a deadlock reports it and has not compared.
            if answer.status_code == 200:
                assert answer.json["differences"] == []  # type: ignore[index]
            assert "kept" not in told.output, told.output
            eventually("the writer went on", lambda before=before: len(truncated) > before)  # type: ignore[misc]
    finally:
        done.set()
        writer.join(60)
    assert set(truncated) == set(EMPTY)
    assert run("rollups", "verify", **addresses(own_app)).exit_code == 0
