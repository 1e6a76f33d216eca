"""Our own exports come back: each list that an import can fill, as CSV and as JSON lines, is the same elsewhere."""

from __future__ import annotations

import json
import re
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.imports.guess.folder import guess_mapping
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import run_import
from opsboard.imports.target import OWN_FIELDS
from opsboard.imports.targets import TARGETS
from tests.application import Application
from tests.reference import ROOT
from tests.seed import Business

# List -> members that are made anew or belong to what an export does not have: who claimed it, what was sent.
LISTS: dict[str, set[str]] = {
    "customers": set(),
    "users": {"has_password", "password_link", "work_left"},
    "processes": set(),
    "machines": set(),
    "working-hours": set(),
    "holidays": set(),
    "routings": set(),
    "reasons": set(),
    "jobs": {"waits_at"},
    "job-steps": set(),
    "work": {"reject_reason_id"},
    "stops": {"reason_id"},
    "leads": {"claimed_by", "claimed_until"},
    "campaigns": set(),
    "suppressions": {"created_by"},
    "contacts": set(),
    "calls": set(),
    "workflow-approvals": set(),
    "workflow-monitoring/workflows": set(),
    "workflow-monitoring/history": set(),
    "notifications": set(),
    "audit": {"request_id"},
}
RECIPIENTS: set[str] = {"events"}
# Lists that show rows of these once more.
SHOWN_AGAIN = {
    "campaigns/active": "campaigns",
    "campaigns/active/recipients": "campaigns/<id:campaign_id>/recipients",
    "intelligence/customers": "customers",
    "jobs/at-risk": "jobs",
    "workflow-monitoring/active": "workflow-monitoring/history",
}
# Lists that no import takes, as docs/import.md says with the reason.
NOT_TAKEN = {
    "conversations", "conversations/messages", "conversations/<id:conversation_id>/messages",
    "documents", "documents/people",
    "journeys", "journeys/contacts", "journeys/executions", "journeys/messages",
    "jobs/<id:job_id>/status-links",
    "leads/<id:lead_id>/timeline",
    "merges",
    "problems",
    "saved-views",
    "tokens",
    "webhooks", "webhooks/deliveries",
    "workflow-approvals/auto-responses",
    "workflow-monitoring/alerts",
}  # fmt: skip
ALWAYS = {"id", "updated_at"}
# Facts missing in every column: the owner of notifications and of the history.
BY_HAND = """
[files.notifications]
path = "notifications.{kind}"
[tables.notifications]
file = "notifications"
external_id = "{{id}}"
parents = {{ user = "{user}" }}
columns = {{ kind = "{{kind}}", title = "{{title}}", body = "{{body}}", link = "{{link}}", read_at = "{{read_at}}", \
own_fields = "{{own_fields}}", created_at = "{{created_at}}" }}
[files.queue]
path = "queue.{kind}"
[tables.approval_queue]
file = "queue"
external_id = "{{id}}"
parents = {{ approval = "{{id}}", assigned_user = "{{queue_entry.assigned_user.id}}" }}
columns = {{ status = "{{queue_entry.status}}", priority = "{{queue_entry.priority}}", \
due_at = "{{queue_entry.due_at}}", entered_at = "{{queue_entry.entered_at}}", \
own_fields = "{{queue_entry.own_fields}}" }}
"""
QUEUE = "workflow-approvals/pending"
HISTORY = """
[files.history_{approval}]
path = "workflow-approvals-{approval}-history.{kind}"
[tables.history_{approval}]
table = "approval_history"
file = "history_{approval}"
external_id = "{{id}}"
parents = {{ approval = "{approval}", acted_by = "{{acted_by.id}}" }}
columns = {{ action = "{{action}}", from_status = "{{from_status}}", to_status = "{{to_status}}", \
comment = "{{comment}}", own_fields = "{{own_fields}}", created_at = "{{created_at}}" }}
"""
# Texts that spreadsheets, CSV and mappings take for something else.
TEXTS = [
    "=1+1", "+49 30 1234", "-5", "@home", "'quoted", "'=2", "\uff1d4", "a,b;c\td", 'say "yes"', "two\nlines", "?", "-",
     "NaN", "null", "1.250", "2025-05-03", "true", "{braces}", "ends with \\", "Łódź 東京 🙂", "sep=;", "Total",
]  # fmt: skip
OWN_TABLES = [table for table, target in TARGETS.items() if OWN_FIELDS in target.columns]
# Of every table, and of each row its own.
OWN = """
UPDATE {table} SET own_fields = jsonb_build_object('row', ctid::text, %(text)s, 'c') WHERE tenant_id = %(tenant)s
"""
WRITE = """
UPDATE customers SET name = %(text)s, address = %(text)s WHERE id = %(id)s AND tenant_id = %(tenant)s;
UPDATE customers SET own_fields = jsonb_build_object(%(text)s, %(text)s, 'b', 'c')
WHERE id = %(id)s AND tenant_id = %(tenant)s;
UPDATE jobs SET own_fields = jsonb_build_object('own', %(text)s) WHERE id = %(id)s AND tenant_id = %(tenant)s;
UPDATE leads SET notes = %(text)s, source = left(%(text)s, 100) WHERE id = %(id)s AND tenant_id = %(tenant)s;
UPDATE jobs SET title = %(text)s WHERE id = %(id)s AND tenant_id = %(tenant)s;
UPDATE call_log SET topic = %(text)s, to_number = left(%(text)s, 50) WHERE id = %(id)s AND tenant_id = %(tenant)s;
"""


def run(app: Application, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def exported(app: Application, business: Business, path: str, kind: str) -> str:
    answer = app.client("admin", business).get(f"/api/{path}/export?format={kind}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def items(text: str, dropped: set[str]) -> list[str]:
    """The items without their ids, in an order of their own."""
    return sorted(
        json.dumps(without_ids(json.loads(line), dropped | ALWAYS), sort_keys=True)
        for line in text.splitlines()
    )


def without_ids(item: Any, dropped: set[str]) -> Any:
    if isinstance(item, dict):
        return {name: without_ids(value, {"id"}) for name, value in item.items() if name not in dropped}
    if isinstance(item, list):
        return [without_ids(value, {"id"}) for value in item]
    return item


def test_every_list_of_the_api_comes_back_or_is_said_not_to(app: Application) -> None:
    """A new list is here, or in docs/import.md with the reason why not."""
    exports = {
        rule.rule.removeprefix("/api/").removesuffix("/export")
        for rule in app.flask.url_map.iter_rules()
        if rule.rule.endswith("/export") and "GET" in (rule.methods or ())
    }
    belonging = {"campaigns/<id:campaign_id>/recipients", "workflow-approvals/<id:approval_id>/history"}
    taken = {*LISTS, *belonging, QUEUE}
    assert exports == taken | SHOWN_AGAIN.keys() | NOT_TAKEN
    assert set(SHOWN_AGAIN.values()) <= taken
    table = (ROOT / "docs" / "import.md").read_text(encoding="utf-8").partition("| list | why no import")[2]
    rows = [line.partition("|")[2].partition("|")[0] for line in table.partition("\n\n")[0].splitlines()]
    named = {name for row in rows for name in re.findall(r"`/api/([^`]+)`", row)}
    assert named == {re.sub(r"<id:(\w+)>", r"{\1}", path) for path in NOT_TAKEN}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_every_list_comes_back_from_its_export(own_app: Application, kind: str, tmp_path: Path) -> None:
    alpha = own_app.alpha
    for table, text in zip(OWN_TABLES, cycle(TEXTS), strict=False):
        run(own_app, OWN.format(table=table), {"text": text, "tenant": alpha.id})
    for place, text in enumerate(TEXTS, 1):
        run(own_app, WRITE, {"text": text, "id": place, "tenant": alpha.id})
    kept = {path: exported(own_app, alpha, path, "jsonl") for path in LISTS}
    campaigns = [json.loads(line)["id"] for line in kept["campaigns"].splitlines()]
    approvals = [json.loads(line)["id"] for line in kept["workflow-approvals"].splitlines()]
    belonging = {f"campaigns/{one}/recipients": RECIPIENTS for one in campaigns}
    belonging |= {f"workflow-approvals/{one}/history": set() for one in approvals}
    kept |= {path: exported(own_app, alpha, path, "jsonl") for path in belonging}
    for path in kept:
        (tmp_path / f"{path.replace('/', '-')}.{kind}").write_text(
            exported(own_app, alpha, path, kind) if path != "audit" or kind == "csv" else kept[path],
            encoding="utf-8",
            newline="",
        )
    own = run(own_app, "SELECT id FROM users WHERE email = %(email)s", {"email": alpha.email("admin")})[0][0]
    text = guess_mapping(tmp_path) + BY_HAND.format(kind=kind, user=own)
    # Its requests are in the list of all of them too.
    (tmp_path / f"queue.{kind}").write_text(
        exported(own_app, alpha, QUEUE, kind), encoding="utf-8", newline=""
    )
    kept[QUEUE] = exported(own_app, alpha, QUEUE, "jsonl")
    text += "".join(HISTORY.format(kind=kind, approval=one) for one in approvals)
    run(own_app, "INSERT INTO tenants (slug, name) VALUES ('gamma', 'Gamma')", {})
    run_import(own_app.database.app_url, tmp_path, parse_mapping(text), "gamma")

    [(gamma_id,)] = run(own_app, "SELECT id FROM tenants WHERE slug = 'gamma'", {})
    client = signed_in(own_app, gamma_id, alpha.email("admin"))
    for path, dropped in (LISTS | {QUEUE: set()}).items():
        back = client.get(f"/api/{path}/export?format=jsonl").get_data(as_text=True)
        found, wanted = items(back, dropped), items(kept[path], dropped)
        if path == "audit":
            # The import and the exports themselves are in it too.
            assert wanted and not set(wanted) - set(found)
        else:
            assert wanted and found == wanted, path
    assert_belonging_lists(own_app, client, kept, gamma_id, belonging)


def signed_in(app: Application, tenant: int, email: str) -> Any:
    query = "SELECT id, role, token_version FROM users WHERE tenant_id = %(tenant)s AND email = %(email)s"
    [user] = run(app, query, {"tenant": tenant, "email": email})
    client = app.flask.test_client()
    token = app.services.sign_in.tokens.issue(tenant, *user)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def assert_belonging_lists(
    app: Application, client: Any, kept: dict[str, str], gamma_id: int, belonging: dict[str, set[str]]
) -> None:
    """The lists that belong to a row: of its copy, which has its old id as the outside key."""
    tables = {"campaigns": "campaigns", "workflow-approvals": "response_approvals"}
    for path, dropped in belonging.items():
        area, old, rest = path.split("/")
        query = f"SELECT id FROM {tables[area]} WHERE tenant_id = %(id)s AND external_id = %(old)s"
        [(new,)] = run(app, query, {"id": gamma_id, "old": old})
        back = client.get(f"/api/{area}/{new}/{rest}/export?format=jsonl").get_data(as_text=True)
        assert items(back, dropped) == items(kept[path], dropped), path
