"""Every route of the application, with ids that exist, for the tests that hold over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from opsboard.auth.links import Link, write_token
from tests.application import SECRET, Application
from tests.contract.samples import argument_names, body_model, body_of
from tests.contract.tables import TABLES
from tests.seed import LINKS_EXPIRE, Business

# Path argument -> where its ids come from, where that is not the first row of the table of that name. The first
# journey is active, and the first node and the first contact are its own.
IDS = {
    "link_id": "SELECT min(id) FROM job_status_links WHERE tenant_id = %s",
    "shift_id": "SELECT min(id) FROM working_hours WHERE tenant_id = %s",
    "step_id": "SELECT min(id) FROM job_steps WHERE tenant_id = %s",
    "call_id": "SELECT min(id) FROM call_log WHERE tenant_id = %s",
    "wanted_id": "SELECT max(id) FROM users WHERE tenant_id = %s",
    # The admin's own, as below.
    "session_id": """
        SELECT min(s.id)
        FROM sessions AS s
        JOIN users AS u ON u.id = s.user_id
        WHERE s.tenant_id = %s AND u.role = 'admin'
    """,
    "approval_id": "SELECT min(id) FROM response_approvals WHERE tenant_id = %s AND status = 'pending'",
    "response_id": "SELECT min(id) FROM auto_responses WHERE tenant_id = %s AND status IN ('queued', 'failed')",
    "record_id": "SELECT id FROM work_records WHERE tenant_id = %s ORDER BY ended_at DESC, id LIMIT 1",
    "problem_id": "SELECT min(id) FROM problems WHERE tenant_id = %s AND status = 'open'",
    "stop_id": "SELECT id FROM machine_stops WHERE tenant_id = %s ORDER BY ended_at DESC, id LIMIT 1",
    "node_id": "SELECT min(id) FROM journey_nodes WHERE tenant_id = %s",
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
MERGES = "SELECT min(id) FROM merges WHERE tenant_id = %s AND kind = '{}'"
# Routes whose ids must not be those of the others, beside every DELETE, which removes the last one: what they change is
# in another state.
OTHER_IDS = {
    "workflow_approvals.resubmit_approval": {
        "approval_id": "SELECT min(id) FROM response_approvals WHERE tenant_id = %s AND status = 'changes_requested'"
    },
    "users.create_password_link": {
        "wanted_id": "SELECT max(id) FROM users WHERE tenant_id = %s AND is_active"
    },
    "users.anonymise": {"wanted_id": "SELECT min(id) FROM users WHERE tenant_id = %s AND NOT is_active"},
    "users.get_password_link": {"wanted_id": "SELECT min(user_id) FROM password_links WHERE tenant_id = %s"},
    "job_steps.move_job_step": {
        "step_id": "SELECT max(id) FROM job_steps WHERE tenant_id = %s AND status = 'pending'"
    },
    "merges.undo_customers": {"merge_id": MERGES.format("customers")},
    "merges.undo_contacts": {"merge_id": MERGES.format("contacts")},
    "merges.undo_leads": {"merge_id": MERGES.format("leads")},
    "jobs.archive": {
        "job_id": "SELECT min(id) FROM jobs WHERE tenant_id = %s AND status IN ('completed', 'cancelled')"
    },
    "users.archive": {"wanted_id": "SELECT min(id) FROM users WHERE tenant_id = %s AND NOT is_active"},
    "machines.archive": {
        "machine_id": "SELECT min(id) FROM machines WHERE tenant_id = %s AND status = 'inactive'"
    },
    "processes.archive": {
        "process_id": "SELECT min(id) FROM processes WHERE tenant_id = %s AND NOT is_active"
    },
    "jobs.revoke_status_link": {"link_id": "SELECT min(id) + 1 FROM job_status_links WHERE tenant_id = %s"},
}
# Bodies of writes that accept no more than some, or where it matters which.
BODIES: dict[str, dict[str, object]] = {
    "auth.login": {"email": "nobody@example.com", "password": "wrong password"},
    "conversations.create_conversation": {"contact_id": 1, "channel": "sms"},
    "merges.merge_customers": {"kept_id": 4, "merged_id": 5, "take": ["email"]},
    "merges.merge_contacts": {"kept_id": 4, "merged_id": 5, "take": ["email"]},
    "merges.merge_leads": {"kept_id": 4, "merged_id": 5, "take": ["email"]},
    "jobs.bulk_jobs_status": {"ids": [1, 2**62], "status": "active"},
    "users.hand_over": {"to_user_id": None},
    "saved_views.update_saved_view": {"query": "sort=job_number"},
    "auth.accept_password_link": {"token": "none", "password": "tall trees in march"},
    "workflow_approvals.decide_approval": {"decision": "approve"},
    "problems.report_problem": {"step_id": 1, "kind": "material", "description": "2 mm, not 3"},
    "work.correct_work": {"note": "n", "correction": "was missing"},
    "work.add_work": {"step_id": 1, "started_at": "2026-03-02T08:00:00Z", "minutes": 30},
    "campaigns.add_recipients": {"recipients": [{"address": "somebody@example.com"}]},
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
    # One that the write accepts; None where it takes none.
    body: dict[str, object] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(application: Application, business: Business | None = None) -> list[Route]:
    """All routes under /api and /health."""
    return list(_routes(application, business or application.alpha))


def _routes(application: Application, business: Business) -> Iterator[Route]:
    ids = ids_of(application, business)
    others = {endpoint: ids_of(application, business, queries) for endpoint, queries in OTHER_IDS.items()}
    last = {
        rule.endpoint: {argument: query_for(argument).replace("min(id)", "max(id)")}
        for rule in application.flask.url_map.iter_rules()
        if "DELETE" in (rule.methods or ()) and rule.endpoint not in OTHER_IDS
        for argument in argument_names(rule.rule)[-1:]
    }
    others |= {endpoint: ids_of(application, business, queries) for endpoint, queries in last.items()}
    for rule in application.flask.url_map.iter_rules():
        if not rule.rule.startswith(("/api", "/health")):
            continue
        view = application.flask.view_functions[rule.endpoint]
        path = rule.rule.replace("<token>", token_of(business, ids["link_id"]))
        for argument in argument_names(rule.rule):
            found = others.get(rule.endpoint, {}).get(argument, ids[argument])
            path = path.replace(f"<id:{argument}>", str(found))
        assert "<" not in path, f"{rule.rule} has an argument that is no id"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(
                method,
                rule.rule,
                rule.endpoint,
                path,
                getattr(view, "open_to_all", False),
                getattr(view, "only_for", None),
                body_for(rule.endpoint, view) if method in ("POST", "PATCH", "PUT") else None,
            )


def body_for(endpoint: str, view: Any) -> dict[str, object] | None:
    model = body_model(view)
    return BODIES.get(endpoint, body_of(model)) if model else None


def query_for(argument: str) -> str:
    """Where the ids of a path argument come from: `kit_id` is the first of kits."""
    if argument in IDS:
        return IDS[argument]
    word = argument.removesuffix("_id")
    names = (f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies")
    table = next((name for name in names if name in TABLES), None)
    assert table, f"no table is called after {argument}; say in IDS where its ids come from"
    return f"SELECT min(id) FROM {table} WHERE tenant_id = %s"


def token_of(business: Business, link_id: int) -> str:
    """Return the token in the address of a seeded link."""
    return write_token(SECRET, Link(business.id, link_id, LINKS_EXPIRE))


def ids_of(
    application: Application, business: Business, queries: dict[str, str] | None = None
) -> dict[str, int]:
    """For each path argument an id that exists in the business."""
    if queries is None:
        rules = application.flask.url_map.iter_rules()
        queries = {argument: query_for(argument) for rule in rules for argument in argument_names(rule.rule)}
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        found = {}
        for argument, query in queries.items():
            cursor.execute(query, (business.id,))
            row = cursor.fetchone()
            assert row and row[0], f"the seed has no {argument}"
            found[argument] = row[0]
        return found
