"""The tables there are, by what may be done to them."""

from __future__ import annotations

import re
from pathlib import Path

# Tables that hold nothing of any business: worker and endpoint names, digests, numbers.
SHARED = {"workers", "cache_clears", "write_pauses", "sign_in_attempts", "alerts", "checks", "usage_by_day"}
MIGRATIONS = Path(__file__).parents[2] / "migrations"
CREATED = re.compile(r"(?m)^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+) \(")
# In the order in which they are made, so that what a table refers to stands before it.
TABLES = tuple(
    dict.fromkeys(
        table
        for file in sorted(MIGRATIONS.glob("*.sql"))
        if not file.name.endswith(".rollback.sql")
        for table in CREATED.findall(file.read_text(encoding="utf-8"))
        if table not in SHARED
    )
)
# Written by triggers and functions alone.
NOT_WRITTEN = ("changes", "rollup_deltas", "rollups", "text_collisions", "search_words", "search_pending")
# Of these rows may be added, and none changed.
APPENDED = (
    "audit_logs", "lead_status_history", "approval_history", "campaign_tracking_events", "campaign_event_keys",
    "messages", "journey_step_keys", "journey_node_executions",
)  # fmt: skip
SLUG = "(slug = ( SELECT NULLIF(current_setting('app.tenant_slug'::text, true), ''::text) AS \"nullif\"))"
LOGIN = (
    "(email_search = ( SELECT address_form(NULLIF(current_setting('app.login_email'::text, true), ''::text))"
    " AS address_form))"
)
# Policies beside a table's own: for which command, for whom, what may be seen and what may be written; db/tenancy.py
# and the migrations say why. OWNER: the role that migrates and the functions that keep things up, for no other role.
OWNER = "owner"
EXTRAS: dict[tuple[str, str], tuple[str, str, str | None, str | None]] = {
    ("tenants", "tenants_by_slug"): ("r", "public", SLUG, None),
    ("tenants", "tenants_upkeep"): ("r", OWNER, "true", None),
    ("users", "users_sign_in"): ("r", "public", LOGIN, None),
    ("revocations", "revocations_read"): ("r", "public", "true", None),
    ("revocations", "revocations_upkeep"): ("*", OWNER, "true", "true"),
    ("changes", "changes_read"): ("r", "public", "true", None),
    ("changes", "changes_upkeep"): ("*", OWNER, "true", "true"),
    ("rollup_deltas", "rollup_deltas_upkeep"): ("*", OWNER, "true", "true"),
    ("rollups", "rollups_upkeep"): ("*", OWNER, "true", "true"),
    ("search_words", "search_words_upkeep"): ("*", OWNER, "true", "true"),
    ("search_pending", "search_pending_upkeep"): ("*", OWNER, "true", "true"),
    ("idempotency_keys", "idempotency_keys_upkeep"): ("*", OWNER, "true", "true"),
    ("webhooks", "webhooks_upkeep"): ("r", OWNER, "true", None),
    ("deliveries", "deliveries_upkeep"): ("*", OWNER, "true", "true"),
    ("workers", "workers_all"): ("*", "public", "true", "true"),
    ("cache_clears", "cache_clears_all"): ("*", "public", "true", "true"),
    ("write_pauses", "write_pauses_all"): ("*", "public", "true", "true"),
    ("sign_in_attempts", "sign_in_attempts_all"): ("*", "public", "true", "true"),
    ("alerts", "alerts_all"): ("*", "public", "true", "true"),
    ("checks", "checks_all"): ("*", "public", "true", "true"),
    ("usage_by_day", "usage_by_day_all"): ("*", "public", "true", "true"),
}
