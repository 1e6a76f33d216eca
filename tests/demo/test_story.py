"""The demo data tells one story: no row contradicts another, and there is something to see today."""

from __future__ import annotations

import pytest

from opsboard.db.migrations import Migrator
from tests.clusters import MIGRATIONS, FreshDatabase
from tests.demo.conftest import JOBS, MOMENT
from tests.demo.reading import rows, value

# Each finds the rows for which its sentence is not true.
SENTENCES = {
    "what is unread was received": """
        SELECT FROM conversation_reads AS r
        WHERE r.read_count > (SELECT count(*) FROM messages AS m
            WHERE m.tenant_id = r.tenant_id AND m.conversation_id = r.conversation_id AND m.direction = 'in')
    """,
    "a conversation's last message is its last": """
        SELECT FROM conversations AS v
        WHERE v.last_message_at IS DISTINCT FROM (SELECT max(m.created_at) FROM messages AS m
            WHERE m.tenant_id = v.tenant_id AND m.conversation_id = v.id)
    """,
    "nobody is written to or called before they are a contact": """
        SELECT FROM contacts AS k JOIN conversations AS v ON v.tenant_id = k.tenant_id AND v.contact_id = k.id
        JOIN messages AS m ON m.tenant_id = v.tenant_id AND m.conversation_id = v.id
        WHERE m.created_at < k.created_at
        UNION ALL
        SELECT FROM contacts AS k JOIN call_log AS p ON p.tenant_id = k.tenant_id AND p.contact_id = k.id
        WHERE p.started_at < k.created_at OR p.customer_id <> k.customer_id
    """,
    "only a call that was answered takes time and comes to something": """
        SELECT FROM call_log AS p
        WHERE (p.status = 'completed') <> (p.duration_seconds > 0 AND p.outcome IS NOT NULL)
    """,
    "a message of ours has somebody who sent it": """
        SELECT FROM messages AS m WHERE (m.direction = 'out') <> (m.sent_by IS NOT NULL)
    """,
    "a draft has no step that was touched": """
        SELECT FROM jobs AS j JOIN job_steps AS s USING (tenant_id)
        WHERE s.job_id = j.id AND j.status = 'draft' AND (s.status <> 'pending' OR s.started_at IS NOT NULL)
    """,
    "a completed job has only steps that are over": """
        SELECT FROM jobs AS j JOIN job_steps AS s USING (tenant_id)
        WHERE s.job_id = j.id AND j.status = 'completed' AND s.status NOT IN ('completed', 'skipped')
    """,
    "a job began with its first step": """
        SELECT FROM jobs AS j
        WHERE j.started_at IS DISTINCT FROM
            (SELECT min(s.started_at) FROM job_steps AS s WHERE s.tenant_id = j.tenant_id AND s.job_id = j.id)
    """,
    "a completed job ended with its last step, another one did not end": """
        SELECT FROM jobs AS j
        WHERE j.completed_at IS DISTINCT FROM CASE WHEN j.status = 'completed' THEN
            (SELECT max(s.completed_at) FROM job_steps AS s WHERE s.tenant_id = j.tenant_id AND s.job_id = j.id)
        END
    """,
    "only an active job has a step in progress, and only one": """
        SELECT FROM jobs AS j JOIN job_steps AS s ON s.tenant_id = j.tenant_id AND s.job_id = j.id
        WHERE s.status = 'in_progress'
        GROUP BY j.tenant_id, j.id, j.status
        HAVING count(*) > 1 OR j.status <> 'active'
    """,
    "steps follow each other in time": """
        SELECT FROM job_steps AS s JOIN job_steps AS n ON n.tenant_id = s.tenant_id AND n.job_id = s.job_id
        WHERE n.step_order > s.step_order
            AND (n.started_at < s.completed_at OR (s.status IN ('pending', 'in_progress') AND n.started_at IS NOT NULL))
    """,
    "a step has the times of its status": """
        SELECT FROM job_steps AS s
        WHERE (s.started_at IS NOT NULL) <> (s.status IN ('in_progress', 'completed'))
            OR (s.completed_at IS NOT NULL) <> (s.status = 'completed')
            OR s.started_at > s.completed_at
    """,
    "no step has more pieces than were ordered": """
        SELECT FROM jobs AS j JOIN job_steps AS s ON s.tenant_id = j.tenant_id AND s.job_id = j.id
        WHERE s.quantity_done + s.quantity_rejected > j.quantity
            OR (s.status IN ('pending', 'skipped') AND s.quantity_done + s.quantity_rejected > 0)
    """,
    "a job has two to six steps, numbered from 1": """
        SELECT FROM jobs AS j LEFT JOIN job_steps AS s ON s.tenant_id = j.tenant_id AND s.job_id = j.id
        GROUP BY j.tenant_id, j.id
        HAVING count(s.id) NOT BETWEEN 2 AND 6 OR min(s.step_order) <> 1 OR max(s.step_order) <> count(s.id)
    """,
    "nobody has a task they may not do": """
        SELECT FROM job_steps AS s
        JOIN users AS u ON u.tenant_id = s.tenant_id AND u.id = s.assigned_user_id
        WHERE u.role <> 'admin'
            AND EXISTS (SELECT FROM role_process_permissions AS p
                WHERE p.tenant_id = s.tenant_id AND p.process_id = s.process_id)
            AND NOT EXISTS (SELECT FROM role_process_permissions AS p
                WHERE p.tenant_id = s.tenant_id AND p.process_id = s.process_id AND p.role = u.role AND p.can_operate)
    """,
    "nothing runs on a machine that is out of use": """
        SELECT FROM job_steps AS s JOIN machines AS m ON m.tenant_id = s.tenant_id AND m.id = s.machine_id
        WHERE m.status = 'inactive' OR (m.status <> 'active' AND s.status = 'in_progress')
    """,
    "a machine has one job on it at a time": """
        SELECT FROM job_steps AS s WHERE s.status = 'in_progress' GROUP BY s.tenant_id, s.machine_id HAVING count(*) > 1
    """,
    "nobody works at more than two machines, and each step in progress has somebody": """
        SELECT FROM job_steps AS s WHERE s.status = 'in_progress'
        GROUP BY s.tenant_id, s.assigned_user_id HAVING count(*) > 2 OR s.assigned_user_id IS NULL
    """,
    "nobody has more than three weeks' tasks, and nobody who left has any": """
        SELECT FROM job_steps AS s JOIN users AS u ON u.tenant_id = s.tenant_id AND u.id = s.assigned_user_id
        WHERE s.status IN ('pending', 'in_progress')
        GROUP BY u.tenant_id, u.id HAVING count(*) > 30 OR NOT bool_and(u.is_active)
    """,
    "a step on a machine began since yesterday": """
        SELECT FROM job_steps AS s WHERE s.status = 'in_progress'
        AND s.started_at < (SELECT max(j.created_at) - interval '1 day' FROM jobs AS j WHERE j.tenant_id = s.tenant_id)
    """,
    "work is done on weekdays, between the early and the late shift": """
        SELECT FROM job_steps AS s JOIN tenants AS t ON t.id = s.tenant_id
        CROSS JOIN LATERAL (VALUES (s.started_at), (s.completed_at)) AS v (moment)
        WHERE extract(isodow FROM v.moment AT TIME ZONE t.time_zone) > 5
            OR extract(hour FROM v.moment AT TIME ZONE t.time_zone) NOT BETWEEN 5 AND 22
    """,
    "nothing is due at a weekend": "SELECT FROM jobs AS j WHERE extract(isodow FROM j.due_date) > 5",
    "what is late or stopped says why": """
        SELECT FROM jobs AS j
        WHERE j.description IS NULL AND (
            j.status = 'on_hold'
            OR j.status = 'active' AND j.due_date < (SELECT max(k.created_at)::date FROM jobs AS k)
        )
    """,
    "parts were rejected where that made a job late": """
        SELECT FROM jobs AS j
        WHERE j.description LIKE '%%rejected%%' AND j.status = 'completed' AND NOT EXISTS (
            SELECT FROM job_steps AS s
            WHERE s.tenant_id = j.tenant_id AND s.job_id = j.id AND s.quantity_rejected > 0
        )
    """,
    "nobody on the suppression list got a message of a later campaign": """
        SELECT FROM suppressions AS s
        JOIN campaigns AS c ON c.tenant_id = s.tenant_id AND c.channel = s.channel AND c.created_at > s.created_at
        JOIN campaign_recipients AS r
            ON r.tenant_id = s.tenant_id AND r.campaign_id = c.id AND r.address_search = s.address_search
    """,
    "a campaign counts its events and its people": """
        SELECT FROM campaign_recipients AS r
        WHERE r.kinds <> ARRAY(SELECT DISTINCT e.kind FROM campaign_tracking_events AS e
            WHERE e.tenant_id = r.tenant_id AND e.recipient_id = r.id ORDER BY 1)
    """,
    "no job is due before it was made": """
        SELECT FROM jobs AS j JOIN tenants AS t ON t.id = j.tenant_id
        WHERE j.due_date < (j.created_at AT TIME ZONE t.time_zone)::date
    """,
    "who ordered was a customer before": """
        SELECT FROM jobs AS j LEFT JOIN customers AS c ON c.tenant_id = j.tenant_id AND c.id = j.customer_id
        WHERE c.created_at IS NULL OR c.created_at > j.created_at
    """,
    "every foreign key finds its row": """
        SELECT FROM job_steps AS s
        LEFT JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
        LEFT JOIN processes AS p ON p.tenant_id = s.tenant_id AND p.id = s.process_id
        LEFT JOIN machines AS m ON m.tenant_id = s.tenant_id AND m.id = s.machine_id
        LEFT JOIN users AS u ON u.tenant_id = s.tenant_id AND u.id = s.assigned_user_id
        WHERE j.id IS NULL OR p.id IS NULL OR m.id IS NULL OR (s.assigned_user_id IS NOT NULL AND u.id IS NULL)
    """,
    "a notification is about a job of the same business": """
        SELECT FROM notifications AS n
        LEFT JOIN jobs AS j ON j.tenant_id = n.tenant_id AND n.link = '/api/jobs/' || j.id
        WHERE j.id IS NULL OR n.read_at < n.created_at
    """,
    "the audit log tells what happened to a row when it happened": """
        SELECT FROM audit_logs AS a
        LEFT JOIN jobs AS j ON j.tenant_id = a.tenant_id AND a.entity = 'job' AND j.id = a.entity_id
        LEFT JOIN job_steps AS s ON s.tenant_id = a.tenant_id AND a.entity = 'job_step' AND s.id = a.entity_id
        WHERE coalesce(a.created_at NOT IN (j.created_at, j.started_at, j.completed_at), true)
            AND coalesce(a.created_at <> s.completed_at, true)
    """,
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_of_the_story_is_true(generated: FreshDatabase, sentence: str) -> None:
    assert rows(generated, SENTENCES[sentence]) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("jobs", "created_at"),
        ("jobs", "started_at"),
        ("jobs", "completed_at"),
        ("jobs", "updated_at"),
        ("job_steps", "started_at"),
        ("job_steps", "completed_at"),
        ("job_steps", "updated_at"),
        ("notifications", "created_at"),
        ("audit_logs", "created_at"),
    ],
)
def test_nothing_has_happened_in_the_future_but_something_today(
    generated: FreshDatabase, table: str, column: str
) -> None:
    latest = rows(generated, f"SELECT tenant_id, max({column}) FROM {table} GROUP BY tenant_id")
    assert len(latest) == 2
    for _, moment in latest:
        assert moment <= MOMENT
        assert moment.date() == MOMENT.date()


def test_the_shares_of_statuses_are_those_of_a_running_shop(generated: FreshDatabase) -> None:
    wanted = {"completed": 0.72, "active": 0.14, "draft": 0.06, "on_hold": 0.05, "cancelled": 0.04}
    found = rows(generated, "SELECT tenant_id, status, count(*) FROM jobs GROUP BY tenant_id, status")
    totals = {tenant: sum(n for t, _, n in found if t == tenant) for tenant, _, _ in found}
    assert len(found) == 2 * len(wanted)
    assert sum(totals.values()) == JOBS
    for tenant, status, count in found:
        assert count / totals[tenant] == pytest.approx(wanted[status], abs=0.02), status


def test_a_few_jobs_are_overdue_and_some_due_today(generated: FreshDatabase) -> None:
    found = rows(
        generated,
        """
        SELECT
            count(*) FILTER (WHERE due_date < %s) / count(*)::float,
            count(*) FILTER (WHERE due_date = %s)
        FROM (SELECT *, count(*) OVER (PARTITION BY tenant_id) FROM jobs) AS j
        GROUP BY tenant_id
        """.replace("due_date", "CASE WHEN status IN ('draft', 'active', 'on_hold') THEN due_date END"),
        MOMENT.date(),
        MOMENT.date(),
    )
    for overdue, due_today in found:
        assert 0.02 < overdue < 0.04
        assert due_today > 0


def test_overdue_jobs_are_late_by_days_by_weeks_and_some_by_months(generated: FreshDatabase) -> None:
    ages = [
        age
        for (age,) in rows(
            generated,
            "SELECT %s::date - due_date FROM jobs WHERE status IN ('draft', 'active', 'on_hold') AND due_date < %s",
            MOMENT.date(),
            MOMENT.date(),
        )
    ]
    assert len(set(ages)) > 20
    for least, most in ((1, 7), (8, 21), (22, 45), (46, 200)):
        assert sum(least <= age <= most for age in ages) > 0.03 * len(ages), (least, most)
    assert sum(age <= 14 for age in ages) > len(ages) / 2


def test_causes_of_lateness_differ_and_the_bottleneck_is_one(generated: FreshDatabase) -> None:
    causes = dict(
        rows(generated, "SELECT description, count(*) FROM jobs WHERE description LIKE 'Late:%%' GROUP BY 1")
    )
    assert len(causes) >= 5
    shares = dict(
        rows(
            generated,
            """
            SELECT p.is_coated, avg((j.description IS NOT NULL)::integer)::float
            FROM jobs AS j
            CROSS JOIN LATERAL (
                SELECT bool_or(r.name = 'Powder coating') AS is_coated
                FROM job_steps AS s JOIN processes AS r ON r.tenant_id = s.tenant_id AND r.id = s.process_id
                WHERE s.tenant_id = j.tenant_id AND s.job_id = j.id
            ) AS p
            WHERE j.status = 'completed'
            GROUP BY 1
            """,
        )
    )
    assert shares[True] > 1.4 * shares[False]


def test_every_machine_that_runs_has_work_and_a_queue(generated: FreshDatabase) -> None:
    machines = rows(
        generated,
        """
        SELECT m.name, count(s.id) FILTER (WHERE s.status = 'in_progress'),
            count(s.id) FILTER (WHERE s.status = 'pending' AND s.assigned_user_id IS NOT NULL)
        FROM machines AS m
        LEFT JOIN job_steps AS s ON s.tenant_id = m.tenant_id AND s.machine_id = m.id
        WHERE m.status = 'active'
        GROUP BY m.tenant_id, m.id
        """,
    )
    busy = [running for _, running, _ in machines]
    assert set(busy) <= {0, 1} and sum(busy) > 0.8 * len(busy)
    assert all(waiting <= 8 for _, _, waiting in machines)


def test_each_month_has_more_jobs_than_the_one_a_year_before(generated: FreshDatabase) -> None:
    months = dict(rows(generated, "SELECT to_char(created_at, 'YYYY-MM'), count(*) FROM jobs GROUP BY 1"))
    assert {"2025-02", "2026-02"} <= months.keys()
    assert months["2026-02"] > 1.1 * months["2025-02"]
    assert min(months.values()) > 0


def test_weekends_are_quiet(generated: FreshDatabase) -> None:
    days = dict(rows(generated, "SELECT extract(isodow FROM created_at)::int, count(*) FROM jobs GROUP BY 1"))
    assert days[7] < days[6] < min(days[day] for day in range(1, 6)) / 2


@pytest.mark.parametrize("slug", ["north", "south"])
def test_whoever_signs_in_finds_tasks(generated: FreshDatabase, slug: str) -> None:
    tasks = rows(
        generated,
        """
        SELECT
            u.email,
            count(*) FILTER (WHERE s.status = 'pending'),
            count(*) FILTER (WHERE s.status = 'in_progress'),
            count(*) FILTER (WHERE (s.completed_at AT TIME ZONE t.time_zone)::date = %s)
        FROM tenants AS t
        JOIN users AS u ON u.tenant_id = t.id
        JOIN job_steps AS s ON s.tenant_id = t.id AND s.assigned_user_id = u.id
        WHERE t.slug = %s AND u.password_hash IS NOT NULL
        GROUP BY u.email
        """,
        MOMENT.date(),
        slug,
    )
    assert {email for email, *_ in tasks} == {
        f"{role}@{slug}.example" for role in ("admin", "manager", "operator")
    }
    assert all(pending > 0 for _, pending, _, _ in tasks)
    ((_, _, in_progress, completed_today),) = [task for task in tasks if task[0].startswith("operator")]
    assert in_progress > 0
    assert completed_today > 0


def test_there_are_archived_records_and_duplicates(generated: FreshDatabase) -> None:
    """The pages of the archive and of duplicates have something to show, in each business."""
    archived = "SELECT tenant_id, count(*) FROM {} WHERE archived_at IS NOT NULL GROUP BY 1 ORDER BY 1"
    assert [count for _, count in rows(generated, archived.format("customers"))] == [3, 3]
    assert [count for _, count in rows(generated, archived.format("machines"))] == [2, 2]
    again = """
    SELECT c.tenant_id, count(*)
    FROM customers AS c
    JOIN customers AS d ON d.tenant_id = c.tenant_id AND d.id > c.id AND d.name_search = c.name_search
    WHERE c.archived_at IS NULL AND d.archived_at IS NULL GROUP BY 1 ORDER BY 1
    """
    assert [count for _, count in rows(generated, again)] == [1, 1]


def test_new_rows_get_the_next_ids(generated: FreshDatabase) -> None:
    for table in (
        "tenants",
        "users",
        "processes",
        "machines",
        "customers",
        "jobs",
        "job_steps",
        "notifications",
        "journeys",
        "journey_nodes",
        "journey_contacts",
        "journey_node_executions",
        "journey_messages",
    ):
        last, next_id = rows(
            generated,
            f"""
            SELECT (SELECT max(id) FROM {table}), s.last_value + s.is_called::int
            FROM {table}_id_seq AS s
            """,
        )[0]
        assert next_id == last + 1, table


def test_the_schema_is_still_as_the_migrations_make_it(generated: FreshDatabase) -> None:
    Migrator(generated.owner_url, MIGRATIONS).verify()
    assert value(generated, "SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == 0
    assert value(generated, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_a_program_has_an_account_and_somebody_is_invited(generated: FreshDatabase) -> None:
    people = rows(
        generated,
        """
        SELECT u.full_name, u.is_service, k.kind
        FROM users AS u
        LEFT JOIN password_links AS k ON k.tenant_id = u.tenant_id AND k.user_id = u.id
        WHERE u.is_service OR k.id IS NOT NULL
        ORDER BY u.tenant_id, u.full_name
        """,
    )
    assert people == [("Label printer", True, None), ("Robin Vale", False, "invitation")] * 2
