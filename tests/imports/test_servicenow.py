"""A real service desk: audit, notifications and users equal what plain Python finds in the raw log."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import Summary, run_import
from tests.clusters import FreshDatabase
from tests.imports.logs import LINES, folder_of, rows

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "servicenow_uci"
LOG = FOLDER / "incident_event_log.zip"
NAMES = {
    "incident_state": "status", "priority": "priority", "impact": "impact", "urgency": "urgency",
    "caller_id": "caller", "contact_type": "contact_type", "location": "location", "category": "category",
    "subcategory": "subcategory", "u_symptom": "symptom", "assignment_group": "assignment_group",
    "assigned_to": "assigned_to", "reassignment_count": "reassignment_count", "reopen_count": "reopen_count",
    "made_sla": "made_sla", "knowledge": "knowledge", "u_priority_confirmation": "priority_confirmed",
    "notify": "notify", "problem_id": "problem", "rfc": "change_request", "vendor": "vendor",
    "caused_by": "caused_by",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not LOG.exists(), reason=f"the log of the service desk is not in {FOLDER}")


def import_log(database: FreshDatabase, folder: Path) -> Summary:
    mapping = load_mapping(ROOT / "docs" / "import" / "servicenow.toml")
    return run_import(database.app_url, folder, mapping, "desk")


def read(log: Path) -> list[dict[str, str | None]]:
    """The lines, by the names that the columns should have."""
    names = load_mapping(ROOT / "docs" / "import" / "servicenow.toml").files["updates"].columns or []
    with zipfile.ZipFile(log) as archive, archive.open(archive.namelist()[0]) as file:
        lines = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        header = next(lines)
        # Only two names of it are wrong.
        assert {name for name, better in zip(header, names, strict=True) if name != better} == {
            "ident_state",
            "category",
        }
        return [
            {name: None if text == "?" else text for name, text in zip(names, line, strict=True)}
            for line in lines
        ]


def minute(text: str | None) -> str:
    """29/2/2016 01:16 -> 2016-02-29 01:16"""
    day, month, rest = (text or "").split("/")
    return f"{rest[:4]}-{int(month):02}-{int(day):02} {rest[5:]}"


@pytest.mark.parametrize("lines_imported", LINES)
def test_the_whole_log_is_there_and_a_second_import_changes_nothing(
    database: FreshDatabase, tmp_path: Path, lines_imported: int | None
) -> None:
    rows(database, "INSERT INTO tenants (slug, name, time_zone) VALUES ('desk', 'Desk', 'America/Sao_Paulo')")
    folder = folder_of(LOG, lines_imported, tmp_path)
    lines = read(folder / LOG.name)
    summary = import_log(database, folder)
    check_audit(database, lines)
    check_people(database, lines)
    check_remarks(summary, lines)
    if lines_imported is None:
        check_numbers(database, lines)
    again = import_log(database, folder)
    assert [(one.inserted, one.updated) for one in again.tables] == [(0, 0)] * 3
    assert [one.unchanged for one in again.tables] == [one.inserted for one in summary.tables]
    differences = "SELECT d.* FROM tenants AS t CROSS JOIN LATERAL rollup_differences(t.id) AS d"
    assert rows(database, differences) == []


def check_audit(database: FreshDatabase, lines: list[dict[str, str | None]]) -> None:
    """An entry for each line, with what differs from the line of the incident before it."""
    last: dict[str | None, dict[str, str | None]] = {}
    wanted = []
    for line in lines:
        before = last.get(line["number"], {})
        changes = {
            name: [before.get(column), line[column]]
            for column, name in NAMES.items()
            if before.get(column) != line[column]
        }
        wanted.append(
            (
                "update" if before else "create",
                int(line["number"] or 0),
                f"sys_updated_by {line['sys_updated_by']}",
                minute(line["sys_updated_at"]),
                json.dumps(changes, sort_keys=True),
            )
        )
        last[line["number"]] = line
    found = rows(
        database,
        """
        SELECT l.action, l.entity_id, u.external_id,
            to_char(l.created_at AT TIME ZONE 'America/Sao_Paulo', 'YYYY-MM-DD HH24:MI'), l.changes
        FROM audit_logs AS l
        JOIN users AS u ON u.id = l.user_id
        WHERE l.entity = 'incident'
        ORDER BY l.id
        """,
    )
    assert [(*row[:4], json.dumps(row[4], sort_keys=True)) for row in found] == wanted


def check_numbers(database: FreshDatabase, lines: list[dict[str, str | None]]) -> None:
    """The numbers that the log's publisher gives."""
    actions = "SELECT action, count(*) FROM audit_logs WHERE entity = 'incident' GROUP BY action"
    assert dict(rows(database, actions)) == {"create": 24_918, "update": 141_712 - 24_918}
    assert rows(database, "SELECT count(*) FROM notifications") == [(27_642,)]
    assert len(lines) == 141_712


def check_people(database: FreshDatabase, lines: list[dict[str, str | None]]) -> None:
    """Persons who changed and solved incidents, and their notifications."""
    updating = {f"sys_updated_by {line['sys_updated_by']}" for line in lines}
    solving = {f"assigned_to {line['assigned_to']}" for line in lines if line["assigned_to"]}
    assert {key for (key,) in rows(database, "SELECT external_id FROM users")} == updating | solving
    told: dict[tuple[str, str], str] = {}
    for line in lines:
        if line["assigned_to"]:
            told.setdefault((str(line["number"]), line["assigned_to"]), minute(line["sys_updated_at"]))
    found = rows(
        database,
        """
        SELECT n.title, u.external_id, n.read_at,
            to_char(n.created_at AT TIME ZONE 'America/Sao_Paulo', 'YYYY-MM-DD HH24:MI')
        FROM notifications AS n
        JOIN users AS u ON u.id = n.user_id
        """,
    )
    assert sorted(found) == sorted(
        (f"Incident {number} is yours", f"assigned_to {person}", None, at)
        for (number, person), at in told.items()
    )


def check_remarks(summary: Summary, lines: list[dict[str, str | None]]) -> None:
    """Remarks of the source are reported with their numbers."""

    def empty(column: str) -> int:
        return sum(line[column] is None for line in lines)

    def repeated(*columns: str) -> int:
        return len(lines) - len({tuple(line[column] for column in columns) for line in lines})

    # One that is about no line is not made.
    counts = [
        len(lines),
        len(lines),
        empty("sys_created_by"),
        empty("opened_by"),
        empty("assigned_to"),
        sum(line["incident_state"] == "-100" for line in lines),
        empty("resolved_at"),
        repeated("number", "sys_mod_count"),
        repeated("number", "opened_at", "resolved_at", "closed_at"),
        len(lines),
    ]
    assert [remark.lines for remark in summary.remarks] == [count for count in counts if count]
