"""The dashboard's numbers of leads, approvals, campaigns and journeys: exact after any writes, by its own day."""

from __future__ import annotations

import random
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.features.test_dashboard import json_of
from tests.rollups.history import WRITES
from tests.seed import Business

TABLES = ("leads", "response_approvals", "campaigns", "campaign_recipients", "journeys", "journey_contacts")
AREAS = ("leads", "approvals", "campaigns", "journeys")
# Another way than the service's: from the tables, one question for each number.
TODAY = "({column} AT TIME ZONE '{zone}')::date = (now() AT TIME ZONE '{zone}')::date"
ACTIVE = "campaign_id IN (SELECT id FROM campaigns WHERE status IN ('scheduled', 'running'))"
NUMBERS = {
    "leads.total": "leads",
    "leads.unprocessed": "leads WHERE status = 'unprocessed'",
    "leads.in_progress": "leads WHERE status IN ('new', 'contacted', 'qualified')",
    "leads.new_today": f"leads WHERE {TODAY.replace('{column}', 'created_at')}",
    "approvals.pending": "response_approvals WHERE status = 'pending'",
    "approvals.changes_requested": "response_approvals WHERE status = 'changes_requested'",
    "approvals.decided_today": f"response_approvals WHERE {TODAY.replace('{column}', 'decided_at')}",
    "campaigns.total": "campaigns",
    "campaigns.active": "campaigns WHERE status IN ('scheduled', 'running')",
    "campaigns.paused": "campaigns WHERE status = 'paused'",
    "campaigns.sent": f"campaign_recipients WHERE status <> 'pending' AND {ACTIVE}",
    "campaigns.opened": f"campaign_recipients WHERE status IN ('opened', 'clicked', 'converted') AND {ACTIVE}",
    "journeys.active": "journeys WHERE status = 'active'",
    "journeys.under_way": "journey_contacts WHERE status = 'active'",
    "journeys.paused": "journey_contacts WHERE status = 'paused'",
    "journeys.failed": "journey_contacts WHERE status = 'failed'",
}  # fmt: skip
ZONES = {"alpha": "UTC", "beta": "Pacific/Kiritimati"}


def recounted(app: Application, business: Business) -> dict[str, int]:
    """Each number counted plainly, by the role nothing is hidden from."""
    found = {}
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        for name, counted in NUMBERS.items():
            sql = f"SELECT count(*) FROM {counted.replace('{zone}', ZONES[business.slug])}"
            cursor.execute(f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} tenant_id = %s", (business.id,))
            ((found[name],),) = cursor.fetchall()
    return found


def shown(app: Application, business: Business, role: str = "operator") -> dict[str, int]:
    stats = json_of(app, "/api/dashboard/stats", role, business)
    return {
        f"{area}.{name}": number
        for area in AREAS
        for name, number in stats[area].items()
        if name in stats[area]["links"]
    }


def run(app: Application, sql: str, values: Any = None) -> None:
    with (
        closing(psycopg2.connect(app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)


def test_every_number_is_that_of_a_plain_count_for_each_of_two_businesses(app: Application) -> None:
    for business in (app.alpha, app.beta):
        numbers = shown(app, business)
        assert numbers == recounted(app, business)
        assert numbers.keys() == NUMBERS.keys()
    assert sum(number > 0 for number in numbers.values()) >= 14


def test_numbers_are_exact_after_random_writes_to_all_areas(own_app: Application) -> None:
    seed = random.randrange(10**6)
    choose = random.Random(seed)
    sales = [write for write in WRITES if any(f" {table} " in write for table in TABLES)]
    assert len(sales) >= 15
    tenants = [own_app.alpha.id, own_app.beta.id]
    for step in range(60):
        values = {
            "t": choose.choice(tenants), "u": choose.choice(tenants), "n": choose.randrange(10**9),
            "k": choose.randint(1, 5), "m": choose.choice(["2021-05-06 07:08Z", "now", "yesterday", "tomorrow"]),
        }  # fmt: skip
        try:
            run(own_app, choose.choice(sales), values)
        except psycopg2.IntegrityError:  # a lead that others refer to cannot go, or change hands
            continue
        if step % 15 == 0:
            run(own_app, "SELECT fold_rollups(%s)", (choose.choice([10, 100_000]),))
    for business in (own_app.alpha, own_app.beta):
        assert shown(own_app, business) == recounted(own_app, business), f"seed {seed}"


def test_what_another_business_writes_moves_no_number(own_app: Application) -> None:
    before = shown(own_app, own_app.beta)
    run(own_app, "UPDATE leads SET status = 'unprocessed' WHERE tenant_id = %s", (own_app.alpha.id,))
    run(own_app, "DELETE FROM journey_contacts WHERE tenant_id = %s", (own_app.alpha.id,))
    assert shown(own_app, own_app.beta) == before
    assert shown(own_app, own_app.alpha)["leads.unprocessed"] == 29
    assert shown(own_app, own_app.alpha)["journeys.under_way"] == 0


@pytest.mark.parametrize(
    ("write", "number"),
    [
        ("UPDATE leads SET status = 'unprocessed'", "leads.unprocessed"),
        ("UPDATE response_approvals SET status = 'pending', decided_at = NULL", "approvals.pending"),
        ("UPDATE campaigns SET status = 'paused'", "campaigns.paused"),
        ("UPDATE campaign_recipients SET status = 'opened'", "campaigns.opened"),
        ("UPDATE journeys SET status = 'active'", "journeys.active"),
        ("UPDATE journey_contacts SET status = 'failed'", "journeys.failed"),
    ],
)
def test_a_kept_answer_ends_with_a_write_to_any_area(own_app: Application, write: str, number: str) -> None:
    client, change_feed = own_app.client(), own_app.services.change_feed
    assert client.get("/api/dashboard/stats").headers["X-Cache"] == "MISS"
    change_feed.poll()
    kept = client.get("/api/dashboard/stats")
    run(own_app, write)
    change_feed.poll()
    answer = client.get("/api/dashboard/stats")
    area, _, name = number.partition(".")
    assert kept.json is not None and answer.json is not None
    assert answer.headers["X-Cache"] == "MISS" and answer.json[area][name] != kept.json[area][name]
    assert answer.json["as_of"] > kept.json["as_of"]


def test_the_oldest_request_that_waits_is_told_and_absent_when_none_does(own_app: Application) -> None:
    waiting = own_app.client().get("/api/workflow-approvals/pending?page_size=1").json
    assert waiting is not None
    approvals = json_of(own_app, "/api/dashboard/stats")["approvals"]
    assert approvals["oldest_pending_at"] == waiting["items"][0]["created_at"]
    run(own_app, "UPDATE response_approvals SET status = 'approved', decided_at = now()")
    approvals = json_of(own_app, "/api/dashboard/stats")["approvals"]
    assert approvals["pending"] == 0 and "oldest_pending_at" not in approvals


def test_today_is_the_day_of_the_business(own_app: Application) -> None:
    """Half past ten in the evening of UTC is the next day in Kiritimati."""
    run(own_app, "UPDATE tenants SET as_of = '2015-02-01'")
    run(own_app, "UPDATE leads SET created_at = '2015-01-31 22:30Z'")
    run(own_app, "UPDATE response_approvals SET decided_at = '2015-01-31 22:30Z' WHERE status <> 'pending'")
    numbers = {business.slug: shown(own_app, business) for business in (own_app.alpha, own_app.beta)}
    assert [numbers[slug]["leads.new_today"] for slug in ZONES] == [0, 29]
    assert [numbers[slug]["approvals.decided_today"] for slug in ZONES] == [0, 13]


def test_recipients_of_active_campaigns_are_listed_with_their_campaign(app: Application) -> None:
    client = app.client("operator")
    active = client.get("/api/campaigns/active").json
    found = client.get("/api/campaigns/active/recipients?page_size=100").json
    assert active is not None and found is not None
    assert {item["campaign"]["id"] for item in found["items"]} == {item["id"] for item in active["items"]}
    assert found["total"] == len(found["items"]) == 7 * active["total"]
    changed = [item["updated_at"] for item in found["items"]]
    assert changed == sorted(changed, reverse=True)
