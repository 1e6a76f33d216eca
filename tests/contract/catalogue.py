"""Every named query of the application, and each list query in all its shapes, ready to be run or explained."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from opsboard.db.list_statement import Page, Position, compose
from opsboard.db.queries import Queries, Query, load_queries
from opsboard.features import ALL
from tests.contract.samples import always, filters_of, ids_of, parameters_of
from tests.contract.tables import TABLES

PACKAGES = ("opsboard.auth", "opsboard.fleet", "opsboard.web", *(f"opsboard.features.{area}" for area in ALL))
# Values for the parameters of queries; of a write's members and of ids they are made from the declaration.
VALUES: dict[str, Any] = {
    "tenant_id": 1, "user_id": 1, "role": "manager", "request_id": "r", "limit": 10, "months": 12, "job_id": 1,
    "step_id": 1, "customer_id": 1, "machine_id": 1, "process_id": 1, "wanted_id": 2, "notification_id": 1,
    "read_at": "2026-11-01T00:00:00Z",
    "account": "a", "unlocked": "u", "place": "p", "spread": 100, "fewer": 2, "window": 300, "noted": "{}",
    "most": 1000, "token_id": "t", "token_version": 1, "expires_at": 4e9, "seen": "3:3:",
    "login_email": "admin@alpha.example", "tenant_slug": "alpha", "patch": "{}", "id": "w", "machine": "m", "pid": 1,
    "started_at": 0.0, "cleared_to": 0, "report": "{}", "prefix": None, "order_id": 1, "silent_grace": 5.0,
    "silent_after": 2.0, "months_ahead": 1, "exported": "jobs", "export": "{}", "ids": [1, 2], "idempotency_key": "k",
    "fingerprint": "f", "answer_status": 200, "answer_body": "{}", "answer_location": None,
    "answer_type": "application/json", "journey_id": 1, "node_id": 1, "contact_id": 1, "message_id": 1, "round": None,
    "messages_per_hour": 4, "loop_window": 60.0, "max_rounds": 12, "nodes": None, "edges": None,
    "customer_ids": [1, 2], "contact_ids": [1, 2], "wanted_status": "paused", "job_number": "J-1", "title": "t",
    "description": None, "status": "draft", "priority": "normal", "quantity": 1, "lead_id": 1, "source": None,
    "category": None, "assigned_user_id": None, "notes": None, "scraped_at": None, "approval_id": 1, "subject": "s",
    "response": None, "due_at": None, "decision": "approve", "comment": None, "campaign_id": 1, "channel": "email",
    "scheduled_at": None, "date_from": None, "date_to": None, "suppression_id": 1,
    "recipients": '[{"place": 0, "address": "somebody@example.com", "kind": "email"}]', "refused": "[]",
    "reason": "manual", "note": None, "stuck_days": 7,
    "events": '[{"key": "k", "recipient_id": 1, "kind": "sent", "occurred_at": "2026-11-01T00:00:00Z"}]',
    "workflow": "w", "step": None, "execution_id": 1, "alert_id": 1, "count": 10, "minutes": 5, "due_date": None,
    "name": "n", "email": None, "phone": None, "address": None, "conversation_id": 1, "call_id": 1,
    "direction": "out", "body": "b", "from_number": None, "to_number": None, "topic": None, "outcome": None,
    "duration_seconds": 1, "waited_seconds": None, "rating": None, "document_id": 1, "document_type": "invoice",
    "file_name": "f", "media_type": "m", "size_bytes": 1, "sha256": None, "locale": "en", "currency": "EUR",
    "contact_email": None, "contact_phone": None, "whatsapp_number": None, "opens_at": "08:00", "closes_at": "17:00",
    "auto_reply": False, "auto_reply_text": None, "options": "{}", "response_id": 1, "became": "sent",
    "link_id": 1, "expires_in_days": 60, "to_user_id": 3, "deactivate": True, "new_role": "operator",
    "is_service": False, "full_name": "n", "session_id": 1, "api_token_id": 1, "of_user_id": 1, "uses": "[]",
    "hint": "h", "token_hash": "0" * 64, "scopes": ["read"],
    "areas": ["jobs", "late", "machines", "sell"], "old_hash": "h", "device": "d", "ends_at": 4e9,
    "password_hash": "h", "contradictions": "warn", "kept_id": 1, "merged_id": 2, "take": ["email"], "merge_id": 1,
    "after_id": 0,
    "conditions": "[]", "with_businesses": True, "check_name": "certificate", "value": 1.0, "rule": "OpsboardErrors",
    "long": 1.0, "settings": ["fsync"], "query": None, "end_session": False,
    "record_id": 1, "worker_id": 1, "ended_at": None, "finish": True, "hand_over": False, "quantity_good": 1,
    "quantity_rejected": 1, "reject_reason": None, "by": "day", "product": None,
    "q": "canary", "most_read": 1000, "area": "jobs",
    "is_shared": False, "is_default": True,
    "used": '[{"business": 1, "requests": 1, "seconds": 0.5, "sent": 10}]', "runs_service": None,
    "stop_id": 1, "problem_id": 1, "holds_step": False, "answer": "a",
    "permissions": '[{"role": "operator", "can_operate": true}]', "is_active": True, "routing_id": 1,
    "copy_of_id": None, "steps": '[{"process_id": 1, "setup_minutes": 5}]', "position": 1, "reason_id": 1,
    "kind": "reject",
    "at_least": 1000, "prior": 10, "held_out": 0.25, "fewest": 40, "process_ids": [1, 2], "confidence": 0.8,
    "days": 182, "read_per_day": 200, "kept_per_day": 18, "most_jobs": 5000, "older": 500,
    "url": "https://erp.example/", "secret_id": "key_s", "webhook_id": 1, "overlap_hours": 1, "delivery_id": 1,
    "busy": [], "each": 2, "lease": 40.0, "attempt": 1, "is_delivered": True, "is_final": False,
    "response_status": 200, "error": None, "milliseconds": 5, "digest_hour": 0, "today": "2026-11-30", "board": "{}",
    "by_mail": True, "operators": [1], "rules": "[]",
}  # fmt: skip
# Filters by texts that the rows have; of the others a value is made from their declaration.
FILTER_VALUES: dict[str, Any] = {
    "q": "canary", "entity": "job", "to_number": "555 3", "category": "bulk", "source": "fair", "priority": ["high"],
}  # fmt: skip
# Parameters of a list's item, which every page of it has.
OWN_ALWAYS: dict[str, dict[str, Any]] = {"campaigns.list_recipients": {"events": 3}}
# Of queries whose words are their own.
OWN_VALUES: dict[str, dict[str, Any]] = {
    "jobs.list_jobs": {"status": ["active"]},
    "jobs.create_job": {"steps": "[]", "routing_id": 1},
    "saved_views.create_saved_view": {"query": ""},
    "auth.note_sign_in": {"outcome": "sign_in"},
    "leads.list_leads": {"status": ["unprocessed"]},
    "conversations.create_conversation": {"channel": "sms"},
    "leads.create_lead": {"status": "new"},
    "suppressions.add_suppression": {"address": "kim@x.example"},
    "auth.begin_session": {"address": "a"},
    "users.create_user": {"email": "new@north.example"},
    "campaigns.list_campaigns": {"status": ["paused"]},
    "workflow_monitoring.list_history": {"status": ["failed"]},
    "campaigns.list_recipients": {"status": ["clicked"], "events": 3},
    "campaigns.list_active_recipients": {"status": ["clicked"]},
    "workflow_approvals.list_approvals": {"status": ["rejected"]},
    "workflow_approvals.decide_approval": {"status": "approved"},
    "workflow_approvals.list_auto_responses": {"status": ["failed"]},
    "conversations.list_conversations": {"status": "open"},
    "calls.list_calls": {"status": ["missed", "busy"]},
    "calls.create_call": {"status": "missed", "started_at": None},
    "stops.report_stop": {"started_at": None},
    "problems.list_problems": {"status": ["open"], "kind": "material"},
    "problems.report_problem": {"kind": "material"},
    "work.start_work": {
        "started_at": None,
        "ended_at": None,
        "worker_id": 1,
        "quantity_good": 0,
        "quantity_rejected": 0,
    },
    "webhooks.create_webhook": {"events": ["job.created"]},
    "webhooks.list_deliveries": {"status": ["failed"]},
    "work.summary": {"date_from": "2026-03-02", "date_to": "2026-03-06"},
}
KEYS = {
    "timestamptz": "2026-01-01 00:00:00+00",
    "date": "2026-01-01",
    "integer": "1",
    'text COLLATE "C"': "m",
}


@cache
def all_queries() -> tuple[Query, ...]:
    """Every query of every queries.sql in the package; read once, as it takes a third of a second."""
    return tuple(query for package in PACKAGES if has_queries(package) for query in load_queries(package))


def listed_tables() -> list[str]:
    """The tables that lists page over, in the order in which they were made."""
    paged = {query.base.split()[0] for query in all_queries() if query.base}
    return [table for table in TABLES if table in paged]


def filter_values(query: Query) -> dict[str, Any]:
    """A value for each filter of a list."""
    return filters_of(query) | FILTER_VALUES | OWN_VALUES.get(query.name, {})


def has_queries(package: str) -> bool:
    import_module(package)
    return (files(package) / "queries.sql").is_file()


def shapes(query: Query) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, SQL and parameters of a query; of a list query for each filter, sort, direction and way of paging."""
    if not query.base:
        yield (
            query.name,
            query.sql,
            {**ids_of(query), **VALUES, **parameters_of(query), **OWN_VALUES.get(query.name, {})},
        )
        return
    first, fixed = next(iter(query.sorts)), always(query) | OWN_ALWAYS.get(query.name, {})
    for sort in query.sorts:
        for descending in (False, True):
            for position in (None, Position(KEYS[query.sorts[sort].type], 5, False)):
                yield shape(query, fixed, Page(sort, descending, 10, position=position))
    asked = {frozenset({name}) for name in query.filters} | query.totals.keys()
    for names in sorted(asked, key=sorted):
        values = filter_values(query)
        filters = {name: values[name] for name in names}
        yield shape(query, {**fixed, **filters}, Page(first, True, 10))


def shape(query: Query, filters: dict[str, Any], page: Page) -> tuple[str, str, dict[str, Any]]:
    sql, params = compose(query, filters, page)
    paging = "cursor" if page.position else ""
    label = f"{query.name}[{','.join(filters) or '-'} sort={'-' * page.descending}{page.sort} {paging}]"
    return label, sql, {**VALUES, **params}


__all__ = ["PACKAGES", "VALUES", "Queries", "all_queries", "shapes"]
