"""A file without a key of its own, and durations written as clocks show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import run_import
from tests.clusters import FreshDatabase
from tests.imports.test_calls import rows

MAPPING = """
[files.calls]
path = "calls.csv"

[tables.call_log]
file = "calls"
external_id = "{#line}"

[tables.call_log.columns]
topic = "{Topic}"
duration_seconds = "{Took}"
"""


def store(database: FreshDatabase, folder: Path, lines: str, mapping: str = MAPPING) -> None:
    if not rows(database, "SELECT id FROM tenants"):
        rows(database, "INSERT INTO tenants (slug, name) VALUES ('calls', 'Calls')")
    (folder / "calls.csv").write_text("Topic,Took\n" + lines)
    (folder / "mapping.toml").write_text(mapping)
    run_import(database.app_url, folder, load_mapping(folder / "mapping.toml"), "calls", None)


def stored(database: FreshDatabase) -> list[tuple[object, ...]]:
    return rows(database, "SELECT external_id, topic, duration_seconds FROM call_log ORDER BY id")


def test_lines_are_keys_and_a_second_run_changes_them_in_place(
    database: FreshDatabase, tmp_path: Path
) -> None:
    store(database, tmp_path, "a,5\na,01:00:07\n")
    assert stored(database) == [("2", "a", 5), ("3", "a", 3607)]
    store(database, tmp_path, "a,5\nb,01:00:07\nc,0\n")
    assert stored(database) == [("2", "a", 5), ("3", "b", 3607), ("4", "c", 0)]


def test_a_table_may_be_made_of_line_numbers_alone(database: FreshDatabase, tmp_path: Path) -> None:
    mapping = MAPPING.replace("{Topic}", "call of line {#line}").replace("{Took}", "60")
    store(database, tmp_path, "a,5\n", mapping)
    assert stored(database) == [("2", "call of line 2", 60)]


@pytest.mark.parametrize("took", ["00:60:00", "1:2", "-5", "1h", "99999999999"])
def test_what_is_no_duration_is_told(database: FreshDatabase, tmp_path: Path, took: str) -> None:
    with pytest.raises(ImportRejected) as refused:
        store(database, tmp_path, f"a,{took}\n")
    (fault,) = refused.value.rejection.first
    assert (fault.line, fault.value, fault.reason) == (
        2,
        took,
        "is neither a number of seconds nor hh:mm:ss (for call_log.duration_seconds)",
    )
