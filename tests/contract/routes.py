"""Every route of the application, with ids that exist, for the tests that hold over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2

from opsboard.auth.links import Link, write_token
from tests.application import SECRET, Application
from tests.seed import LINKS_EXPIRE, Business

# Path argument -> where its ids come from. A new argument without an entry fails the tests, by design.
IDS = {
    "job_id": "SELECT min(id) FROM jobs WHERE tenant_id = %s",
    "link_id": "SELECT min(id) FROM job_status_links WHERE tenant_id = %s",
    "step_id": "SELECT min(id) FROM job_steps WHERE tenant_id = %s",
    "customer_id": "SELECT min(id) FROM customers WHERE tenant_id = %s",
    "machine_id": "SELECT min(id) FROM machines WHERE tenant_id = %s",
    "process_id": "SELECT min(id) FROM processes WHERE tenant_id = %s",
    "contact_id": "SELECT min(id) FROM contacts WHERE tenant_id = %s",
    "conversation_id": "SELECT min(id) FROM conversations WHERE tenant_id = %s",
    "message_id": "SELECT min(id) FROM messages WHERE tenant_id = %s",
    "call_id": "SELECT min(id) FROM call_log WHERE tenant_id = %s",
    "document_id": "SELECT min(id) FROM documents WHERE tenant_id = %s",
    "wanted_id": "SELECT max(id) FROM users WHERE tenant_id = %s",
    "api_token_id": "SELECT min(id) FROM api_tokens WHERE tenant_id = %s",
    # The admin's own, as below.
    "session_id": """
        SELECT min(s.id)
        FROM sessions AS s
        JOIN users AS u ON u.id = s.user_id
        WHERE s.tenant_id = %s AND u.role = 'admin'
    """,
    "lead_id": "SELECT min(id) FROM leads WHERE tenant_id = %s",
    "approval_id": "SELECT min(id) FROM response_approvals WHERE tenant_id = %s AND status = 'pending'",
    "response_id": "SELECT min(id) FROM auto_responses WHERE tenant_id = %s AND status IN ('queued', 'failed')",
    "suppression_id": "SELECT min(id) FROM suppressions WHERE tenant_id = %s",
    "campaign_id": "SELECT min(id) FROM campaigns WHERE tenant_id = %s",
    # One of which the node and the contact are, and that is active.
    "journey_id": "SELECT min(id) FROM journeys WHERE tenant_id = %s",
    "node_id": "SELECT min(id) FROM journey_nodes WHERE tenant_id = %s",
    "journey_contact_id": "SELECT min(id) FROM journey_contacts WHERE tenant_id = %s",
    "journey_message_id": "SELECT min(id) FROM journey_messages WHERE tenant_id = %s",
    "execution_id": "SELECT min(id) FROM workflow_execution_monitoring WHERE tenant_id = %s AND status = 'running'",
    "alert_id": "SELECT min(id) FROM workflow_alerts WHERE tenant_id = %s AND status = 'open'",
    # The admin's own: the tests over all routes are signed in as admin.
    "notification_id": """
        SELECT min(n.id)
        FROM notifications AS n
        JOIN users AS u ON u.id = n.user_id
        WHERE n.tenant_id = %s AND u.role = 'admin'
    """,
}
# Routes whose ids must not be those of the others: what they remove is gone, or what they change is in another state.
OTHER_IDS = {
    "workflow_approvals.resubmit_approval": {
        "approval_id": "SELECT min(id) FROM response_approvals WHERE tenant_id = %s AND status = 'changes_requested'"
    },
    "users.create_password_link": {
        "wanted_id": "SELECT max(id) FROM users WHERE tenant_id = %s AND is_active"
    },
    "jobs.revoke_status_link": {"link_id": "SELECT min(id) + 1 FROM job_status_links WHERE tenant_id = %s"},
    "tokens.revoke_token": {"api_token_id": "SELECT max(id) FROM api_tokens WHERE tenant_id = %s"},
    "suppressions.remove_suppression": {
        "suppression_id": "SELECT max(id) FROM suppressions WHERE tenant_id = %s"
    },
    "journeys.delete_journey": {"journey_id": "SELECT max(id) FROM journeys WHERE tenant_id = %s"},
}
# A body that each write accepts.
BODIES: dict[str, dict[str, object]] = {
    "auth.login": {"email": "nobody@example.com", "password": "wrong password"},
    "jobs.create_job": {"title": "A job"},
    "jobs.create_status_link": {"expires_in_days": 7},
    "jobs.update_job": {"priority": "high"},
    "job_steps.update_job_step": {"quantity_done": 1},
    "customers.create_customer": {"name": "A customer"},
    "customers.update_customer": {"phone": "555 0100"},
    "contacts.create_contact": {"name": "A contact"},
    "contacts.update_contact": {"phone": "555 0101"},
    "conversations.create_conversation": {"contact_id": 1, "channel": "sms"},
    "conversations.add_message": {"body": "A message"},
    "calls.create_call": {"status": "missed"},
    "calls.update_call": {"outcome": "Calls back"},
    "documents.create_document": {"title": "A document", "file_name": "a.pdf", "document_type": "invoice"},
    "journeys.create_journey": {"name": "A journey"},
    "journeys.update_journey": {"description": "About it"},
    "journeys.execute_node": {"contact_id": 1},
    "journeys.add_contacts": {"customer_ids": [1]},
    "journeys.change_contacts": {"contact_ids": [1], "status": "active"},
    "suppressions.add_suppression": {"channel": "email", "address": "kim@north.example"},
    "notifications.mark_unread": {"read_at": "2026-11-01T00:00:00Z"},
    "machines.update_machine": {"status": "maintenance"},
    "jobs.bulk_jobs_status": {"ids": [1, 2**62], "status": "active"},
    "job_steps.bulk_job_steps_status": {"ids": [1], "status": "completed"},
    "machines.bulk_machines_status": {"ids": [1], "status": "inactive"},
    "settings.put_settings": {
        "locale": "de",
        "currency": "EUR",
        "opens_at": "08:00",
        "closes_at": "17:00",
        "auto_reply": False,
    },
    "tenant.update_tenant": {"name": "Another name"},
    "users.create_user": {"email": "new@north.example", "full_name": "New", "role": "operator"},
    "users.update_user": {"full_name": "Another Name"},
    "users.hand_over": {"to_user_id": None},
    "auth.update_me": {"full_name": "Another Name"},
    "auth.change_password": {"current_password": "wrong password", "new_password": "tall trees in march"},
    "tokens.create_token": {"name": "A token", "scopes": ["read"]},
    "auth.find_password_link": {"token": "none"},
    "auth.accept_password_link": {"token": "none", "password": "tall trees in march"},
    "leads.create_lead": {"name": "A lead"},
    "leads.update_lead": {"status": "contacted"},
    "leads.claim_leads": {"count": 2},
    "workflow_approvals.create_approval": {"subject": "An answer"},
    "workflow_approvals.decide_approval": {"decision": "approve"},
    "workflow_approvals.end_auto_response": {"status": "sent"},
    "workflow_approvals.resubmit_approval": {"response": "Another answer"},
    "campaigns.create_campaign": {"name": "A campaign"},
    "campaigns.update_campaign": {"status": "running"},
    "campaigns.add_recipients": {"recipients": [{"address": "somebody@example.com"}]},
    "campaigns.take_events": {
        "events": [{"key": "k", "recipient_id": 1, "kind": "sent", "occurred_at": "2026-11-01T00:00:00Z"}]
    },
    "workflow_monitoring.begin_execution": {"workflow": "nightly"},
    "workflow_monitoring.update_execution": {"step": "second"},
    "health.clear_cache": {},
    "root_health.clear_cache": {},
}


@dataclass(frozen=True)
class Route:
    """One method of one address, its path filled in with ids of a business."""

    method: str
    rule: str
    endpoint: str
    path: str
    open_to_all: bool
    roles: frozenset[str] | None

    @property
    def body(self) -> dict[str, object] | None:
        return BODIES.get(self.endpoint) if self.method in ("POST", "PATCH", "PUT") else None

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(application: Application, business: Business | None = None) -> list[Route]:
    """All routes under /api and /health."""
    return list(_routes(application, business or application.alpha))


def _routes(application: Application, business: Business) -> Iterator[Route]:
    ids = ids_of(application, business, IDS)
    others = {endpoint: ids_of(application, business, queries) for endpoint, queries in OTHER_IDS.items()}
    for rule in application.app.url_map.iter_rules():
        if not rule.rule.startswith(("/api", "/health")):
            continue
        view = application.app.view_functions[rule.endpoint]
        path = rule.rule
        for argument in rule.arguments:
            if argument == "token":
                path = path.replace("<token>", token_of(business, ids["link_id"]))
                continue
            found = others.get(rule.endpoint, {}).get(argument, ids[argument])
            path = path.replace(f"<id:{argument}>", str(found))
        assert "<" not in path, f"{rule.rule} has an argument the tests do not know; add it to IDS"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(
                method,
                rule.rule,
                rule.endpoint,
                path,
                getattr(view, "open_to_all", False),
                getattr(view, "only_for", None),
            )


def token_of(business: Business, link_id: int) -> str:
    """Return the token in the address of a seeded link."""
    return write_token(SECRET, Link(business.id, link_id, LINKS_EXPIRE))


def ids_of(
    application: Application, business: Business, queries: dict[str, str] | None = None
) -> dict[str, int]:
    """For each path argument an id that exists in the business."""
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        found = {}
        for argument, query in (queries or IDS).items():
            cursor.execute(query, (business.id,))
            row = cursor.fetchone()
            assert row and row[0], f"the seed has no {argument}"
            found[argument] = row[0]
        return found
