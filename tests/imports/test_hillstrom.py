"""A file without keys: its lines are the recipients of two campaigns, each once however often it is imported."""

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
FOLDER = ROOT.parent / "shared" / "data" / "hillstrom_email"
FILE = FOLDER / "hillstrom.csv"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the file of Hillstrom's test is not in {FOLDER}")


def rows(database: FreshDatabase, query: str) -> list[tuple[Any, ...]]:
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_recipients_are_the_lines_of_the_file_and_a_second_run_changes_nothing(
    database: FreshDatabase,
) -> None:
    rows(database, "INSERT INTO tenants (slug, name) VALUES ('hillstrom', 'Hillstrom')")
    with FILE.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    mailed = [line for line in lines if line["segment"] != "No E-Mail"]
    mapping = load_mapping(ROOT / "docs" / "import" / "hillstrom.toml")
    for made in (True, False):
        done = run_import(database.app_url, FOLDER, mapping, "hillstrom", None)
        summary = {one.table: one for one in done.tables}
        assert summary["campaign_recipients"].inserted == (len(mailed) if made else 0)
        assert (summary["campaigns"].inserted, summary["campaign_recipients"].updated) == (
            2 if made else 0,
            0,
        )
    assert len(mailed) == 42_694
    wanted = Counter(
        (
            line["segment"],
            line["history_segment"],
            "converted" if line["conversion"] == "1" else "clicked" if line["visit"] == "1" else "sent",
        )
        for line in mailed
    )
    found = rows(
        database,
        "SELECT c.name, r.segment, r.status, count(*) FROM campaign_recipients AS r "
        "JOIN campaigns AS c ON c.tenant_id = r.tenant_id AND c.id = r.campaign_id GROUP BY 1, 2, 3",
    )
    assert {tuple(row[:3]): row[3] for row in found} == wanted
    assert [remark.lines for remark in done.remarks] == [
        len(lines),
        len(lines) - len(mailed),
        sum(line["visit"] == "1" for line in mailed),
        sum(line["zip_code"] == "Surburban" for line in lines),
    ]
