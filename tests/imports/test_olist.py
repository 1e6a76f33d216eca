"""A real funnel: each lead and each deal of the raw files is there, and no more."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import run_import
from tests.clusters import FreshDatabase

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "olist_funnel"
LEADS = FOLDER / "olist_marketing_qualified_leads_dataset.csv"
MAPPING = ROOT / "docs" / "import" / "olist.toml"

pytestmark = pytest.mark.skipif(
    not LEADS.exists(), reason=f"the files of the Olist funnel are not in {FOLDER}"
)


def rows(database: FreshDatabase, query: str) -> list[tuple[Any, ...]]:
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_leads_and_deals_are_those_of_the_files_and_a_second_run_changes_nothing(
    database: FreshDatabase,
) -> None:
    rows(database, "INSERT INTO tenants (slug, name) VALUES ('olist', 'Olist')")
    leads, deals = read(LEADS), read(FOLDER / "olist_closed_deals_dataset.csv")
    mapping = load_mapping(MAPPING)
    for made in (True, False):
        done = run_import(database.app_url, FOLDER, mapping, "olist", None)
        summary = {one.table: one for one in done.tables}
        assert summary["leads"].inserted == (len(leads) if made else 0)
        assert summary["leads"].updated == 0
    won = {deal["mql_id"]: deal for deal in deals}
    assert dict(rows(database, "SELECT status, count(*) FROM leads GROUP BY status")) == {
        "won": len(won),
        "qualified": len(leads) - len(won),
    }
    # Empty and NaN are both not known, as is "unknown" itself.
    sources = Counter({"NaN": "unknown", "": "unknown"}.get(lead["origin"], lead["origin"]) for lead in leads)
    assert dict(rows(database, "SELECT source, count(*) FROM leads GROUP BY source")) == sources
    assert sources["unknown"] == 1099 + 60
    segments = Counter(deal["business_segment"] or None for deal in deals)
    found = rows(database, "SELECT category, count(*) FROM leads WHERE status = 'won' GROUP BY category")
    assert dict(found) == segments
    people = rows(
        database,
        "SELECT u.external_id, count(*) FROM leads AS l JOIN users AS u ON u.id = l.assigned_user_id GROUP BY 1",
    )
    assert dict(people) == Counter(deal["sr_id"] for deal in deals)
    days = rows(
        database, "SELECT (scraped_at AT TIME ZONE 'UTC')::date::text, count(*) FROM leads GROUP BY 1"
    )
    assert dict(days) == Counter(lead["first_contact_date"][:10] for lead in leads)
    assert rows(database, "SELECT count(*) FROM leads WHERE closed_at < scraped_at") == [
        (
            sum(
                won[lead["mql_id"]]["won_date"] < lead["first_contact_date"]
                for lead in leads
                if lead["mql_id"] in won
            ),
        )
    ]
    assert [remark.lines for remark in done.remarks] == [
        len(leads),
        sum(lead["first_contact_date"].endswith(" 00:00:00") for lead in leads),
        sum(lead["origin"] in ("", "NaN") for lead in leads),
        sum(lead["origin"] == "unknown" for lead in leads),
        sum(not (deal["has_company"] or deal["has_gtin"] or deal["average_stock"]) for deal in deals),
        sum(deal["declared_monthly_revenue"] == "0.0" for deal in deals),
    ]
