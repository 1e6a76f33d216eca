"""All of a business goes into files and comes back in another one: the export of the copy has the same checksums."""

from __future__ import annotations

import json
import stat
from itertools import cycle
from pathlib import Path

import pytest

from opsboard.errors import CommandError
from opsboard.imports.business_export import MAPPING, Written, export_business
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.progress import Progress
from opsboard.imports.run import run_import
from opsboard.imports.targets import TARGETS
from tests.application import Application
from tests.drills import file_checksums
from tests.imports.test_round_trip import OWN, OWN_TABLES, TEXTS, WRITE, run

# Rows with a key from outside, which an export keeps.
KEYS = "UPDATE customers SET external_id = 'ERP-' || id WHERE tenant_id = %(tenant)s AND id %% 2 = 0"


def export(app: Application, slug: str, folder: Path) -> list[Written]:
    return export_business(app.database.app_url, slug, folder, Progress())


def lines(folder: Path, table: str) -> list[str]:
    return (folder / f"{table}.jsonl").read_text(encoding="utf-8").splitlines()


def test_a_business_and_its_copy_are_equal_by_checksum(own_app: Application, tmp_path: Path) -> None:
    alpha = own_app.alpha.id
    for table, text in zip(OWN_TABLES, cycle(TEXTS), strict=False):
        run(own_app, OWN.format(table=table), {"text": text, "tenant": alpha})
    for place, text in enumerate(TEXTS, 1):
        run(own_app, WRITE, {"text": text, "id": place, "tenant": alpha})
    run(own_app, KEYS, {"tenant": alpha})
    written = {one.table: one for one in export(own_app, "alpha", tmp_path / "alpha")}
    # Every table that an import fills has rows here, so none is equal because it is empty.
    assert {table for table, one in written.items() if one.is_imported and one.rows} == set(TARGETS)
    assert {"journeys", "conversations", "documents"} <= {
        t for t, one in written.items() if not one.is_imported
    }
    run(own_app, "INSERT INTO tenants (slug, name) VALUES ('gamma', 'Gamma')", {})
    mapping = load_mapping(tmp_path / "alpha" / MAPPING)
    run_import(own_app.database.app_url, tmp_path / "alpha", mapping, "gamma")
    export(own_app, "gamma", tmp_path / "gamma")
    before, after = file_checksums(tmp_path / "alpha"), file_checksums(tmp_path / "gamma")
    for path in before.keys() - {MAPPING}:
        if before[path] != after.get(path):
            table = path.removesuffix(".jsonl")
            pairs = zip(lines(tmp_path / "alpha", table), lines(tmp_path / "gamma", table), strict=False)
            pytest.fail(f"{path}: {next((pair for pair in pairs if pair[0] != pair[1]), 'other lengths')}")
    assert after == before and len(before) == len(TARGETS)
    assert set(lines(tmp_path / "alpha", "audit_logs")) < set(lines(tmp_path / "gamma", "audit_logs"))
    # Imported once more, nothing is doubled or changed.
    again = run_import(own_app.database.app_url, tmp_path / "alpha", mapping, "gamma")
    assert sum(one.inserted + one.updated for one in again.tables) == 0


def test_a_row_made_in_the_copy_gets_a_key_of_its_own(own_app: Application, tmp_path: Path) -> None:
    """Also where an imported key begins as the keys of this business do."""
    taken = """
    UPDATE customers SET external_id = NULL WHERE tenant_id = %(t)s;
    UPDATE customers SET external_id = 'alpha:' || (SELECT max(c.id) FROM customers AS c WHERE c.tenant_id = %(t)s)
    WHERE id = (SELECT min(c.id) FROM customers AS c WHERE c.tenant_id = %(t)s)
    """
    run(own_app, taken, {"t": own_app.alpha.id})
    export(own_app, "alpha", tmp_path / "alpha")
    keys = [json.loads(line)["key"] for line in lines(tmp_path / "alpha", "customers")]
    assert len(set(keys)) == len(keys) > 3 and any(key.startswith("alpha-2:") for key in keys)


def test_the_files_are_private_have_no_secrets_and_nothing_of_others(
    app: Application, tmp_path: Path
) -> None:
    folder = tmp_path / "alpha"
    export(app, "alpha", folder)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert app.alpha.canary in text and app.beta.canary not in text
    assert "$argon2" not in text and "token_hash" not in text
    with pytest.raises(CommandError, match="is not empty"):
        export(app, "alpha", folder)
    with pytest.raises(CommandError, match="no business nobody"):
        export(app, "nobody", tmp_path / "nobody")
