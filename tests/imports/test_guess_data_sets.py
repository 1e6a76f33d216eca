"""`--guess` on real files: what it writes imports them, as it is or with a few edited lines."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import pytest

from opsboard.imports.guess.folder import guess_mapping
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import run_import
from tests.clusters import FreshDatabase
from tests.imports.test_olist import rows

DATA = Path(__file__).parents[3] / "shared" / "data"
SHORT = 400  # lines
LARGE = 1 << 20  # bytes

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"the data sets are not in {DATA}")

# Data set -> edits of its guess, at most five lines in all, and the rows that whole files give.
DATA_SETS: dict[str, tuple[list[tuple[str, str]], dict[str, int]]] = {
    "adventureworks": (
        [
            ('title = "Job {c1}"  # made up', 'title = "Product {c2}"\nquantity = "{c3}"'),
            (
                'created_at = "{c6}"  # unsure: the first column of dates',
                'created_at = "{c6}"\nstarted_at = "{c6}"',
            ),
            ('job_number = "{c1}"', 'job_number = "WO-{c1}"'),
        ],
        {
            "customers": 701,
            "users": 290,
            "machines": 14,
            "jobs": 72_591,
            "job_steps": 67_131,
            "contacts": 753,
        },
    ),
    "bank_calls": ([], {"call_log": 41_188}),
    "bpi2012": ([], {"users": 68, "processes": 24, "jobs": 13_087, "job_steps": 262_200}),
    "hillstrom_email": (
        [('campaign = "{segment}"', 'campaign = "{segment}"')],
        {"campaigns": 3, "campaign_recipients": 64_000},
    ),
    "olist_funnel": ([], {"leads": 8_000}),
    "pwc_callcenter": ([], {"users": 8, "call_log": 5_000}),
    "servicenow_uci": ([], {"jobs": 24_918 + 20_769}),
}


def lines_changed(edits: list[tuple[str, str]]) -> int:
    """Lines that were written, with those that were changed; a remark that went with its line is none."""
    return sum(
        line.partition("  #")[0] not in before for before, after in edits for line in after.splitlines()
    )


def edited(text: str, edits: list[tuple[str, str]]) -> str:
    assert lines_changed(edits) <= 5
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def shortened(folder: Path, target: Path) -> Path:
    """The first lines of each large file."""
    for path in folder.iterdir():
        if path.stat().st_size < LARGE:
            shutil.copy(path, target)
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target / path.name, "w") as new:
                for name in archive.namelist():
                    with archive.open(name) as file:
                        new.writestr(
                            name, b"".join(line for line, _ in zip(file, range(SHORT), strict=False))
                        )
        elif path.suffix == ".gz":
            with gzip.open(path) as file, gzip.open(target / path.name, "wb") as packed:
                packed.writelines(line for line, _ in zip(file, range(SHORT), strict=False))
        elif path.suffix == ".csv":
            with path.open("rb") as file, (target / path.name).open("wb") as plain:
                plain.writelines(line for line, _ in zip(file, range(SHORT), strict=False))
    return target


def imported(database: FreshDatabase, folder: Path, name: str) -> dict[str, int]:
    rows(database, "INSERT INTO tenants (slug, name) VALUES ('north', 'North')")
    mapping = parse_mapping(edited(guess_mapping(folder), DATA_SETS[name][0]))
    found: dict[str, int] = {}
    for one in run_import(database.app_url, folder, mapping, "north").tables:
        assert not one.updated
        found[one.table] = found.get(one.table, 0) + one.inserted
    again = run_import(database.app_url, folder, mapping, "north").tables
    assert not any(one.inserted or one.updated for one in again)
    return found


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_guess_imports_the_first_lines_of_real_files(
    database: FreshDatabase, name: str, tmp_path: Path
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    found = imported(database, shortened(DATA / name, folder), name)
    assert found.keys() == DATA_SETS[name][1].keys()
    assert all(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA_SETS)
def test_a_guess_imports_real_files(database: FreshDatabase, name: str) -> None:
    assert imported(database, DATA / name, name) == DATA_SETS[name][1]
