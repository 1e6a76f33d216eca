"""Every GET is one statement and, when kept, none: however many rows there are, and however many each belongs with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.catalogue import listed_tables
from tests.contract.routes import IDS, routes
from tests.rows import fill, not_written_by
from tests.seed import Business

# Of everything a list shows so many, each with what belongs to it.
MANY = """
INSERT INTO customers (tenant_id, name) SELECT %(t)s, 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO machines (tenant_id, name) SELECT %(t)s, 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO processes (tenant_id, name) SELECT %(t)s, 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO users (tenant_id, email, full_name, role)
SELECT %(t)s, 'many' || n || '@many.example', 'many ' || n, 'operator' FROM generate_series(1, %(n)s) AS n;
INSERT INTO jobs (tenant_id, job_number, title, customer_id, created_by, due_date)
SELECT c.tenant_id, 'M-' || c.id, 'many', c.id, %(admin)s, (now() AT TIME ZONE 'UTC')::date + 2
FROM customers AS c WHERE c.name LIKE 'many %%';
INSERT INTO api_tokens (tenant_id, user_id, name, scopes, hint, token_hash, created_by, expires_at)
SELECT u.tenant_id, u.id, 'many', ARRAY['read'], 'many_' || u.id, lpad(u.id::text, 64, '0'), %(admin)s,
    now() + interval '1 day'
FROM users AS u WHERE u.email LIKE 'many%%';
INSERT INTO job_steps (tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id)
SELECT j.tenant_id, j.id, n, (SELECT max(id) FROM processes), (SELECT max(id) FROM machines), %(admin)s
FROM jobs AS j CROSS JOIN generate_series(1, 2) AS n WHERE j.title = 'many';
INSERT INTO work_records (tenant_id, step_id, user_id)
SELECT s.tenant_id, s.id, %(admin)s FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id WHERE j.title = 'many';
INSERT INTO machine_stops (tenant_id, machine_id, reason)
SELECT m.tenant_id, m.id, 'many' FROM machines AS m WHERE m.name LIKE 'many %%';
INSERT INTO problems (tenant_id, step_id, kind, description, reported_by)
SELECT s.tenant_id, s.id, 'tool', 'many', %(admin)s
FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id WHERE j.title = 'many';
INSERT INTO saved_views (tenant_id, user_id, area, name)
SELECT %(t)s, %(admin)s, 'jobs', 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO merges (tenant_id, kind, kept_id, merged_id, merged_by)
SELECT c.tenant_id, 'customers', c.id, c.id + 1, %(admin)s FROM customers AS c WHERE c.name LIKE 'many %%';
INSERT INTO reasons (tenant_id, kind, name) SELECT %(t)s, 'reject', 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at)
SELECT m.tenant_id, m.id, 1, '22:00', '06:00' FROM machines AS m WHERE m.name LIKE 'many %%';
INSERT INTO job_status_links (tenant_id, job_id, created_by, expires_at)
SELECT %(t)s, %(job)s, %(admin)s, now() FROM generate_series(1, %(n)s) AS n;
INSERT INTO notifications (tenant_id, user_id, kind, title)
SELECT %(t)s, %(admin)s, 'job', 'many' FROM generate_series(1, %(n)s) AS n;
INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id)
SELECT %(t)s, %(admin)s, 'update', 'job', n FROM generate_series(1, %(n)s) AS n;
INSERT INTO leads (tenant_id, name, customer_id, assigned_user_id)
SELECT c.tenant_id, 'many', c.id, %(admin)s FROM customers AS c WHERE c.name LIKE 'many %%';
INSERT INTO lead_status_history (tenant_id, lead_id, to_status, changed_by)
SELECT %(t)s, %(lead)s, 'new', %(admin)s FROM generate_series(1, %(n)s) AS n;
INSERT INTO response_approvals (tenant_id, lead_id, subject, requested_by)
SELECT l.tenant_id, l.id, 'many', %(admin)s FROM leads AS l WHERE l.name = 'many';
INSERT INTO approval_queue (tenant_id, approval_id)
SELECT a.tenant_id, a.id FROM response_approvals AS a WHERE a.subject = 'many';
INSERT INTO approval_history (tenant_id, approval_request_id, action, to_status, acted_by)
SELECT %(t)s, %(approval)s, 'request', 'pending', %(admin)s FROM generate_series(1, %(n)s) AS n;
INSERT INTO auto_responses (tenant_id, lead_id, approval_id, subject)
SELECT a.tenant_id, a.lead_id, a.id, 'many' FROM response_approvals AS a WHERE a.subject = 'many';
INSERT INTO campaigns (tenant_id, name, status)
SELECT %(t)s, 'many', 'running' FROM generate_series(1, %(n)s) AS n;
INSERT INTO campaign_recipients (tenant_id, campaign_id, lead_id, address)
SELECT l.tenant_id, %(campaign)s, l.id, 'many' || l.id FROM leads AS l WHERE l.name = 'many';
INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
SELECT r.tenant_id, r.id, 'many ' || r.id || '/' || n, 'sent', now()
FROM campaign_recipients AS r CROSS JOIN generate_series(1, 2) AS n WHERE r.address LIKE 'many%%';
INSERT INTO suppressions (tenant_id, channel, address)
SELECT %(t)s, 'email', 'many' || n || '@many.example' FROM generate_series(1, %(n)s) AS n;
INSERT INTO workflows (tenant_id, name) SELECT %(t)s, 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO workflow_execution_monitoring (tenant_id, workflow_id, status, started_at)
SELECT w.tenant_id, w.id, 'running', now() FROM workflows AS w WHERE w.name LIKE 'many %%';
INSERT INTO workflow_alerts (tenant_id, workflow_id, message)
SELECT w.tenant_id, w.id, 'many' FROM workflows AS w WHERE w.name LIKE 'many %%';
INSERT INTO documents (tenant_id, user_id, document_type, title, file_name)
SELECT %(t)s, %(admin)s, 'photo', 'many', 'f' FROM generate_series(1, %(n)s) AS n;
INSERT INTO contacts (tenant_id, customer_id, name)
SELECT c.tenant_id, c.id, 'many' FROM customers AS c WHERE c.name LIKE 'many %%';
INSERT INTO conversations (tenant_id, contact_id)
SELECT k.tenant_id, k.id FROM contacts AS k WHERE k.name = 'many';
INSERT INTO messages (tenant_id, conversation_id, direction, body)
SELECT %(t)s, %(conversation)s, 'in', 'many' FROM generate_series(1, %(n)s) AS n;
INSERT INTO call_log (tenant_id, customer_id, contact_id, user_id, status)
SELECT k.tenant_id, k.customer_id, k.id, %(admin)s, 'missed' FROM contacts AS k WHERE k.name = 'many';
INSERT INTO journeys (tenant_id, name) SELECT %(t)s, 'many ' || n FROM generate_series(1, %(n)s) AS n;
INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, node_id)
SELECT c.tenant_id, %(journey)s, c.id, %(node)s FROM customers AS c WHERE c.name LIKE 'many %%';
INSERT INTO journey_step_keys (tenant_id, journey_contact_id, node_id, round)
SELECT c.tenant_id, c.id, c.node_id, 99 FROM journey_contacts AS c WHERE c.journey_id = %(journey)s;
INSERT INTO journey_node_executions (tenant_id, journey_id, journey_contact_id, node_id, round, outcome)
SELECT k.tenant_id, %(journey)s, k.journey_contact_id, k.node_id, 99, 'executed'
FROM journey_step_keys AS k WHERE k.round = 99;
INSERT INTO journey_messages (tenant_id, journey_contact_id, node_id, round, channel, recipient, body)
SELECT k.tenant_id, k.journey_contact_id, k.node_id, 99, 'email', 'r', 'b'
FROM journey_step_keys AS k WHERE k.round = 99;
ANALYZE;
"""
# The parents of the rows above: the first of each.
OF = {
    "admin": "users", "job": "jobs", "lead": "leads", "campaign": "campaigns", "conversation": "conversations",
    "journey": "journeys", "node": "journey_nodes",
}  # fmt: skip


@pytest.fixture(scope="module", params=[50, 1000])
def parents(
    request: pytest.FixtureRequest, cluster: Cluster, seeded: tuple[str, Business, Business]
) -> Iterator[tuple[Application, int]]:
    """The first business with so many more of everything."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            given: dict[str, Any] = {"t": alpha.id, "n": request.param}
            for name, table in OF.items():
                cursor.execute(f"SELECT min(id) FROM {table} WHERE tenant_id = %s", (alpha.id,))
                given[name] = (cursor.fetchone() or (0,))[0]
            cursor.execute(IDS["approval_id"], (alpha.id,))
            given["approval"] = (cursor.fetchone() or (0,))[0]
            cursor.execute(MANY, given)
            for table in not_written_by(MANY, listed_tables()):
                fill(cursor, table, alpha.id, "many", request.param)
            cursor.execute("SELECT fold_rollups(1000000)")
        with running_application(database, alpha, beta) as application:
            yield application, request.param


def test_each_get_of_many_parents_is_one_statement_and_none_when_kept(
    parents: tuple[Application, int],
) -> None:
    app, number = parents
    client, full, kept = app.client(), 0, 0
    for route in routes(app):
        if route.method != "GET":
            continue
        app.services.store.clear()
        lists = route.endpoint.partition(".")[2].startswith("list_")
        path = f"{route.path}?page_size=100" if lists else route.path
        first = client.get(path)
        text = first.get_data(as_text=True)  # of an export all of it, or it would go on
        assert first.status_code == 200, f"{route}: {text}"
        assert int(first.headers["X-Queries"]) <= 1, f"{route} needs {first.headers['X-Queries']} statements"
        if lists:
            shown = len(first.json["items"])  # type: ignore[index]
            assert shown >= min(number, 100), f"{route} shows {shown}: nothing is proven by that"
            full += 1
        second = client.get(path)
        second.get_data()
        if first.headers.get("X-Cache") == "MISS":
            assert (second.headers["X-Cache"], second.headers["X-Queries"]) == ("HIT", "0"), route
            kept += 1
        assert int(second.headers["X-Queries"]) <= 1, route
    assert full > 20
    assert kept >= 8


def test_what_reads_the_whole_service_is_one_statement_too(parents: tuple[Application, int]) -> None:
    app, _ = parents
    client = app.client()
    for route in routes(app):
        if route.method == "GET" and route.endpoint.startswith("health."):
            assert int(client.get(route.path).headers["X-Queries"]) <= 1, route
    assert int(app.client(None).get("/metrics").headers["X-Queries"]) <= 1
