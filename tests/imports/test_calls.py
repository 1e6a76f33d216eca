"""Two real call lists: what is stored equals what plain Python counts in the raw files, with what they lack."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import run_import
from tests.clusters import FreshDatabase

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
MAPPINGS = ROOT / "docs" / "import"
PWC, BANK = DATA / "pwc_callcenter" / "calls.csv", DATA / "bank_calls" / "bank-additional-full.csv"
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

pytestmark = pytest.mark.skipif(
    not (PWC.exists() and BANK.exists()), reason=f"the lists of calls are not in {DATA}"
)


def rows(database: FreshDatabase, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def import_into(
    database: FreshDatabase, name: str, folder: Path | None = None, told: list[int] | None = None
) -> dict[str, Any]:
    if not rows(database, "SELECT id FROM tenants"):
        rows(database, "INSERT INTO tenants (slug, name) VALUES ('calls', 'Calls')")
    mapping = load_mapping(MAPPINGS / f"{name}.toml")
    summary = run_import(database.app_url, folder or DATA / name, mapping, "calls", None)
    if told is not None:
        told += [remark.lines for remark in summary.remarks]
    return {one.table: one for one in summary.tables}


def lines(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def seconds(text: str) -> int:
    hours, minutes, rest = text.split(":") if text else ("0", "0", "0")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def test_the_call_centre_is_stored_line_by_line(database: FreshDatabase) -> None:
    told: list[int] = []
    found = import_into(database, "pwc_callcenter", told=told)
    raw = lines(PWC)
    assert told == [len(raw), sum(r["Answered (Y/N)"] == "N" for r in raw)]
    assert (found["call_log"].inserted, found["users"].inserted) == (len(raw), len({r["Agent"] for r in raw}))
    stored = rows(
        database,
        "SELECT p.external_id, u.full_name, to_char(p.created_at, 'YYYY-MM-DD'), "
        "to_char(p.started_at, 'HH24:MI:SS'), p.topic, p.status, p.outcome, p.waited_seconds, p.duration_seconds, "
        "p.rating FROM call_log AS p JOIN users AS u ON u.id = p.user_id ORDER BY p.external_id",
    )
    assert stored == [
        (
            r["Call Id"], r["Agent"], r["Date"], r["Time"], r["Topic"],
            {"Y": "completed", "N": "missed"}[r["Answered (Y/N)"]],
            {"Y": "resolved", "N": "not resolved"}[r["Resolved"]],
            int(r["Speed of answer in seconds"]) if r["Speed of answer in seconds"] else None,
            seconds(r["AvgTalkDuration"]), int(r["Satisfaction rating"]) if r["Satisfaction rating"] else None,
        )
        for r in sorted(raw, key=lambda r: r["Call Id"])
    ]  # fmt: skip
    # Told by the source: 4,054 answered, 946 not, 3,646 resolved; what was not answered has no wait and no rating.
    assert Counter(row[5] for row in stored) == {"completed": 4054, "missed": 946}
    assert Counter(row[6] for row in stored)["resolved"] == 3646
    assert all((row[7], row[8], row[9]) == (None, 0, None) for row in stored if row[5] == "missed")
    assert rows(database, "SELECT count(*) FROM call_log WHERE customer_id IS NOT NULL") == [(0,)]
    assert (
        rows(database, "SELECT d.* FROM tenants AS t CROSS JOIN LATERAL rollup_differences(t.id) AS d") == []
    )
    again = import_into(database, "pwc_callcenter")["call_log"]
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 5000)


def test_the_banks_campaign_is_stored_with_the_year_that_its_order_tells(database: FreshDatabase) -> None:
    told: list[int] = []
    found = import_into(database, "bank_calls", told=told)
    raw = lines(BANK, ";")
    without_client = (
        sum(line["pdays"] == "999" for line in raw),
        sum(line["job"] == "unknown" for line in raw),
    )
    assert told == [len(raw), len(raw), 12, *without_client]
    assert found["call_log"].inserted == len(raw) == 41188
    # Lines lie in the order of their days: the year is a later one where the month is an earlier one.
    months, year, before = [], 2008, 0
    for line in raw:
        month = MONTHS.index(line["month"]) + 1
        year += month < before
        before = month
        months.append(f"{year}-{month:02}")
    stored = rows(
        database,
        "SELECT to_char(created_at, 'YYYY-MM'), outcome, duration_seconds, topic, notes FROM call_log "
        "ORDER BY external_id::integer",
    )
    assert stored == [
        (
            month, {"yes": "subscribed", "no": "declined"}[line["y"]], int(line["duration"]),
            f"Term deposit, call {line['campaign']} of the campaign",
            f"{line['contact']}, {line['day_of_week']}, {line['job']}, earlier campaign: {line['poutcome']}",
        )
        for month, line in zip(months, raw, strict=True)
    ]  # fmt: skip
    assert (months[0], months[-1]) == ("2008-05", "2010-11")
    # The 12 lines that repeat another one stay: nothing tells that they are the same call.
    repeated = Counter(tuple(line.values()) for line in raw)
    assert sum(count - 1 for count in repeated.values()) == 12


def test_a_damaged_list_stores_nothing_and_tells_each_line(database: FreshDatabase, tmp_path: Path) -> None:
    head, *rest = PWC.read_text().splitlines()
    wrong = [head, *rest[:6]]
    wrong[2] = wrong[2].replace("00:04:02", "00:74:02")
    wrong[3] = wrong[3][: wrong[3].rindex(",")] + ",9"
    wrong[4] = wrong[4].replace(",Y,", ",maybe,", 1).replace(",N,", ",maybe,", 1)
    (tmp_path / "calls.csv").write_text("\n".join(wrong) + "\n")
    with pytest.raises(ImportRejected) as refused:
        import_into(database, "pwc_callcenter", tmp_path)
    faults = {fault.line: fault.reason for fault in refused.value.rejection.first}
    assert faults == {
        3: "is neither a number of seconds nor hh:mm:ss (for call_log.duration_seconds)",
        4: "is not from 1 to 5, the range of rating",
        5: "is not among the values of the mapping for status",
    }
    assert rows(database, "SELECT count(*) FROM call_log") == [(0,)]
