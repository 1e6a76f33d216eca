"""Random histories: what writers may do to the counted tables, in transactions that may end in any way."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2

ZONES = ["UTC", "Asia/Kathmandu", "America/Havana", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Apia"]
STATUSES = ["draft", "active", "on_hold", "completed", "cancelled"]
STEP_STATUSES = ["pending", "in_progress", "completed", "skipped"]
# %(n)s: a number that is new; %(k)s: a small one; %(t)s: a business; %(m)s: a moment.
SOME_JOBS = "(SELECT id FROM jobs WHERE tenant_id = %(t)s ORDER BY md5(id::text || %(n)s) LIMIT %(k)s)"
SOME_STEPS = "(SELECT id FROM job_steps WHERE tenant_id = %(t)s ORDER BY md5(id::text || %(n)s) LIMIT %(k)s)"
SOMEBODY = "(SELECT id FROM users WHERE tenant_id = %(t)s ORDER BY md5(id::text || %(n)s) LIMIT 1)"
NEW_JOBS = """
    INSERT INTO jobs (tenant_id, job_number, title, status, due_date, completed_at, created_at)
    SELECT %(t)s, 'H' || %(n)s || '-' || g, 'made', %(status)s, %(m)s::date + g, %(m)s::timestamptz, %(m)s
    FROM generate_series(1, %(k)s) AS g
"""
WRITES = [
    NEW_JOBS,
    NEW_JOBS,
    NEW_JOBS + " ON CONFLICT (tenant_id, job_number) DO UPDATE SET status = 'active'",
    f"UPDATE jobs SET status = %(status)s WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"UPDATE jobs SET status = %(status)s, completed_at = %(m)s WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"UPDATE jobs SET completed_at = NULL, due_date = %(m)s::date WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"UPDATE jobs SET due_date = NULL WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"UPDATE jobs SET created_at = %(m)s, title = 'other' WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"UPDATE jobs SET title = 'again', quantity = 2 WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    # A key changes hands: only jobs nobody refers to can.
    f"""UPDATE jobs SET tenant_id = %(u)s, customer_id = NULL, created_by = NULL
        WHERE tenant_id = %(t)s AND title = 'made' AND id IN {SOME_JOBS}""",
    f"DELETE FROM jobs WHERE tenant_id = %(t)s AND id IN {SOME_JOBS}",
    f"""INSERT INTO job_steps (tenant_id, job_id, step_order, status, assigned_user_id, completed_at)
        SELECT %(t)s, j.id, 100 + (%(n)s + g) %% 2000000, %(step)s, {SOMEBODY}, %(m)s
        FROM jobs AS j CROSS JOIN generate_series(1, 2) AS g
        WHERE j.tenant_id = %(t)s AND j.id IN {SOME_JOBS}""",
    f"UPDATE job_steps SET status = %(step)s WHERE tenant_id = %(t)s AND id IN {SOME_STEPS}",
    f"""UPDATE job_steps SET status = 'completed', completed_at = %(m)s, assigned_user_id = {SOMEBODY}
        WHERE tenant_id = %(t)s AND id IN {SOME_STEPS}""",
    f"UPDATE job_steps SET assigned_user_id = NULL WHERE tenant_id = %(t)s AND id IN {SOME_STEPS}",
    f"DELETE FROM job_steps WHERE tenant_id = %(t)s AND id IN {SOME_STEPS}",
    "INSERT INTO machines (tenant_id, name) SELECT %(t)s, 'm' FROM generate_series(1, %(k)s)",
    """UPDATE machines SET status = (ARRAY['active', 'maintenance', 'inactive'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    "INSERT INTO users (tenant_id, email) VALUES (%(t)s, %(n)s || '@history.example')",
    "UPDATE users SET is_active = NOT is_active WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    """UPDATE users SET role = (ARRAY['admin', 'manager', 'operator'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7""",
    "INSERT INTO customers (tenant_id, name) SELECT %(t)s, 'c' FROM generate_series(1, %(k)s)",
    "UPDATE customers SET tenant_id = %(u)s WHERE tenant_id = %(t)s AND name = 'c' AND id %% 3 = %(n)s %% 3",
    "DELETE FROM customers WHERE tenant_id = %(t)s AND name = 'c' AND id %% 9 = %(n)s %% 9",
    "INSERT INTO processes (tenant_id, name) VALUES (%(t)s, 'p')",
    "UPDATE processes SET is_active = NOT is_active WHERE tenant_id = %(t)s AND id %% 2 = %(n)s %% 2",
    """INSERT INTO documents (tenant_id, title, file_name, document_type, uploaded_at)
       SELECT %(t)s, 'd', 'f', (ARRAY['photo', 'quote', 'other'])[1 + g %% 3], %(m)s
       FROM generate_series(1, %(k)s) AS g""",
    "UPDATE documents SET document_type = 'report' WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5",
    "UPDATE documents SET uploaded_at = %(m)s WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    "UPDATE documents SET tenant_id = %(u)s WHERE tenant_id = %(t)s AND title = 'd' AND id %% 3 = %(n)s %% 3",
    "DELETE FROM documents WHERE tenant_id = %(t)s AND title = 'd' AND id %% 4 = %(n)s %% 4",
    "INSERT INTO call_log (tenant_id, status) SELECT %(t)s, 'missed' FROM generate_series(1, %(k)s)",
    "UPDATE call_log SET status = 'completed' WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5",
    """INSERT INTO messages (tenant_id, conversation_id, direction, body, created_at)
       SELECT v.tenant_id, v.id, 'in', 'x', %(m)s
       FROM conversations AS v
       WHERE v.tenant_id = %(t)s AND v.id %% 3 = 0""",
    # To another month, too.
    """UPDATE messages SET created_at = %(m)s, direction = CASE direction WHEN 'in' THEN 'out' ELSE 'in' END
       WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7""",
    "UPDATE journey_node_executions SET created_at = %(m)s WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    "DELETE FROM messages WHERE tenant_id = %(t)s AND id %% 9 = %(n)s %% 9",
    """INSERT INTO leads (tenant_id, name, status, created_at)
       SELECT %(t)s, 'l', (ARRAY['unprocessed', 'new', 'won'])[1 + g %% 3], %(m)s
       FROM generate_series(1, %(k)s) AS g""",
    """UPDATE leads SET status = (ARRAY['contacted', 'lost', 'unprocessed'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    "UPDATE leads SET created_at = %(m)s WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    "UPDATE leads SET tenant_id = %(u)s WHERE tenant_id = %(t)s AND name = 'l' AND id %% 3 = %(n)s %% 3",
    "DELETE FROM leads WHERE tenant_id = %(t)s AND name = 'l' AND id %% 9 = %(n)s %% 9",
    """INSERT INTO response_approvals (tenant_id, subject, status, decided_at)
       VALUES (%(t)s, 'a', 'pending', NULL), (%(t)s, 'a', 'approved', %(m)s)""",
    """UPDATE response_approvals SET status = 'rejected', decided_at = %(m)s
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    """UPDATE response_approvals SET status = 'pending', decided_at = NULL
       WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7""",
    "INSERT INTO campaigns (tenant_id, name) VALUES (%(t)s, 'k')",
    """UPDATE campaigns SET status = (ARRAY['running', 'paused', 'completed'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    """INSERT INTO campaign_recipients (tenant_id, campaign_id, address)
       SELECT k.tenant_id, k.id, 'h' || %(n)s || '-' || g
       FROM campaigns AS k CROSS JOIN generate_series(1, %(k)s) AS g
       WHERE k.tenant_id = %(t)s AND k.id %% 7 = %(n)s %% 7""",
    """UPDATE campaign_recipients SET status = (ARRAY['sent', 'opened', 'bounced'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    "DELETE FROM campaigns WHERE tenant_id = %(t)s AND name = 'k' AND id %% 9 = %(n)s %% 9",
    """UPDATE journeys SET status = (ARRAY['active', 'paused', 'archived'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 2 = %(n)s %% 2""",
    """UPDATE journey_contacts SET status = (ARRAY['active', 'failed', 'completed'])[1 + %(n)s %% 3]
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    "DELETE FROM journey_contacts WHERE tenant_id = %(t)s AND id %% 17 = %(n)s %% 17",
    """INSERT INTO workflow_execution_monitoring (tenant_id, workflow_id, started_at)
       SELECT w.tenant_id, w.id, %(m)s FROM workflows AS w CROSS JOIN generate_series(1, %(k)s) AS g
       WHERE w.tenant_id = %(t)s""",
    """UPDATE workflow_execution_monitoring SET status = 'completed', finished_at = %(m)s
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    """UPDATE workflow_execution_monitoring SET status = 'running', finished_at = NULL, started_at = %(m)s
       WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7""",
    "DELETE FROM workflow_execution_monitoring WHERE tenant_id = %(t)s AND id %% 9 = %(n)s %% 9",
    f"""INSERT INTO notifications (tenant_id, user_id, kind, title, read_at)
       SELECT u.tenant_id, u.id, 'h', 'h', CASE WHEN g %% 2 = 0 THEN %(m)s::timestamptz END
       FROM users AS u CROSS JOIN generate_series(1, %(k)s) AS g
       WHERE u.tenant_id = %(t)s AND u.id = {SOMEBODY}""",
    """UPDATE notifications SET read_at = CASE WHEN read_at IS NULL THEN %(m)s::timestamptz END
       WHERE tenant_id = %(t)s AND id %% 5 = %(n)s %% 5""",
    f"UPDATE notifications SET user_id = {SOMEBODY} WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    "DELETE FROM notifications WHERE tenant_id = %(t)s AND id %% 9 = %(n)s %% 9",
    f"""INSERT INTO work_records (tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good)
        SELECT s.tenant_id, s.id, {SOMEBODY}, s.machine_id, %(m)s::timestamptz - interval '30 hours',
            CASE WHEN %(n)s %% 3 > 0 THEN %(m)s::timestamptz END, CASE WHEN %(n)s %% 3 > 0 THEN 4 ELSE 0 END
        FROM job_steps AS s WHERE s.tenant_id = %(t)s AND s.id IN {SOME_STEPS}
        ON CONFLICT DO NOTHING""",
    """UPDATE work_records SET ended_at = started_at + interval '7 hours', quantity_rejected = %(k)s
       WHERE tenant_id = %(t)s AND id %% 3 = %(n)s %% 3""",
    """UPDATE work_records SET started_at = %(m)s, ended_at = %(m)s::timestamptz + interval '2 days'
       WHERE tenant_id = %(t)s AND ended_at IS NOT NULL AND id %% 5 = %(n)s %% 5""",
    f"UPDATE work_records SET user_id = {SOMEBODY}, note = 'n' WHERE tenant_id = %(t)s AND id %% 7 = %(n)s %% 7",
    "DELETE FROM work_records WHERE tenant_id = %(t)s AND id %% 9 = %(n)s %% 9",
    "INSERT INTO audit_logs (tenant_id, action, entity) SELECT %(t)s, 'a', 'e' FROM generate_series(1, %(k)s)",
    "UPDATE audit_logs SET tenant_id = %(u)s, user_id = NULL WHERE tenant_id = %(t)s AND id %% 9 = %(n)s %% 9",
]
RARE_WRITES = [
    "UPDATE tenants SET time_zone = %(zone)s WHERE id = %(t)s",
    "UPDATE tenants SET time_zone = %(zone)s",
    "TRUNCATE audit_logs",
    "TRUNCATE job_steps CASCADE",
    "TRUNCATE jobs CASCADE",
    "TRUNCATE campaign_recipients CASCADE",
    "TRUNCATE messages CASCADE",
    "TRUNCATE call_log CASCADE",
    "TRUNCATE notifications",
    "TRUNCATE work_records",
    "TRUNCATE workflow_execution_monitoring",
    "DELETE FROM journeys WHERE tenant_id = %(t)s AND id %% 4 = %(n)s %% 4",
    f"WITH gone AS (DELETE FROM jobs WHERE tenant_id = %(t)s RETURNING id) {NEW_JOBS}",
    "INSERT INTO tenants (slug, name) VALUES ('h' || %(n)s, 'of history')",
    "DELETE FROM tenants WHERE slug LIKE 'h%%' AND id %% 2 = %(n)s %% 2",
]


class Writer:
    """One session after another; each transaction ends in a commit, a rollback, an error or a kill."""

    def __init__(self, url: str, tenants: list[int], seed: int) -> None:
        self._url, self._tenants = url, tenants
        self._random = random.Random(seed)
        self.pid = 0
        self.committed = self.undone = self.lost = 0

    def write_until(self, done: threading.Event) -> None:
        while not done.is_set():
            try:
                with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = '20s'")
                    connection.commit()
                    self.pid = connection.info.backend_pid
                    while not done.is_set():
                        self._transaction(connection, cursor)
            # Killed; the next session goes on. In the middle of a COPY psycopg2 knows no better than SystemError.
            except (psycopg2.Error, SystemError) as error:
                if not was_lost(error):
                    raise
                self.lost += 1
                done.wait(0.05)  # the server may be down

    def _transaction(self, connection: Any, cursor: Any) -> None:
        try:
            for _ in range(self._random.randint(1, 4)):
                if self._random.random() < 0.3:
                    self._within_savepoint(cursor)
                else:
                    self._write(cursor)
        # Two histories that cannot both be: a duplicate, a missing parent, a deadlock.
        except psycopg2.Error:
            connection.rollback()
            self.undone += 1
            return
        if self._random.random() < 0.3:
            connection.rollback()
            self.undone += 1
        else:
            connection.commit()
            self.committed += 1

    def _within_savepoint(self, cursor: Any) -> None:
        cursor.execute("SAVEPOINT here")
        try:
            self._write(cursor)
            undo = self._random.random() < 0.5
        except psycopg2.IntegrityError:
            undo = True
        cursor.execute("ROLLBACK TO here" if undo else "RELEASE here")

    def _write(self, cursor: Any) -> None:
        choose = self._random
        moment = f"{choose.randint(2019, 2026)}-{choose.randint(1, 12):02}-{choose.randint(1, 28):02} "
        values = {
            "t": choose.choice(self._tenants),
            "u": choose.choice(self._tenants),
            "n": choose.randrange(10**9),
            "k": choose.choice([1, 1, 1, 2, 30]),
            "m": moment + f"{choose.randint(0, 23):02}:{choose.randint(0, 59):02}Z",
            "status": choose.choice(STATUSES),
            "step": choose.choice(STEP_STATUSES),
            "zone": choose.choice(ZONES),
        }
        if choose.random() < 0.04:
            lines = "".join(f"{values['t']}\tC{values['n']}-{i}\tcopied\tactive\n" for i in range(20))
            cursor.copy_expert(
                "COPY jobs (tenant_id, job_number, title, status) FROM STDIN", io.StringIO(lines)
            )
        elif choose.random() < 0.02:
            cursor.execute(choose.choice(RARE_WRITES), values)
        else:
            cursor.execute(choose.choice(WRITES), values)


def was_lost(error: BaseException) -> bool:
    """Return True if it is about the session rather than about what was asked; a crash of the server has no code."""
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError | SystemError):
        return True
    return isinstance(error, psycopg2.Error) and error.pgcode is None


def repeatedly(done: threading.Event, pause: float, act: Callable[[], object]) -> threading.Thread:
    """A thread that acts until it is done; a session that was killed counts for nothing."""

    def run() -> None:
        while not done.wait(pause):
            try:
                act()
            except psycopg2.Error as error:
                if not was_lost(error):
                    raise

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
