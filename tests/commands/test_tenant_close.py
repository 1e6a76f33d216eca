"""A business is closed: exported first, asked for twice, gone from every table, its people signed out, audited."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.application import SECRET, Application
from tests.commands.conftest import Run
from tests.contract.tables import TABLES

# These tables tell the workers that the business is gone, so their rows stay; they hold numbers only.
KEPT = {"revocations", "changes"}


def query(app: Application, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def rows_of(app: Application, tenant_id: int) -> dict[str, int]:
    found = {}
    for table in sorted({"tenants", *TABLES} - KEPT):
        column = "id" if table == "tenants" else "tenant_id"
        ((count,),) = query(app, f"SELECT count(*) FROM {table} WHERE {column} = {tenant_id}")
        found[table] = count
    return {table: count for table, count in found.items() if count}


def close(run: Run, app: Application, folder: Path, typed: str, **settings: str) -> Any:
    urls = {"DATABASE_URL": app.database.app_url, "DATABASE_OWNER_URL": app.database.owner_url}
    store = app.services.config.document_store
    return run("tenant", "close", "beta", str(folder), typed=typed, SECRET_KEY=SECRET, DOCUMENT_STORE=store,
               **urls, **settings)  # fmt: skip


@pytest.mark.parametrize("typed", ["alpha\ny\n", "beta\nn\n", "beta\n\n"])
def test_without_both_answers_nothing_is_removed(
    run: Run,
    own_app: Application,
    tmp_path: Path,
    typed: str,
) -> None:
    before = rows_of(own_app, own_app.beta.id)
    result = close(run, own_app, tmp_path / "beta", typed)
    assert "Nothing was removed" in str(result.exception)
    assert rows_of(own_app, own_app.beta.id) == before
    # It was exported all the same.
    assert (tmp_path / "beta" / "jobs.jsonl").read_text()


def test_a_closed_business_is_in_its_export_and_nowhere_else(
    run: Run,
    own_app: Application,
    tmp_path: Path,
) -> None:
    app, beta = own_app, own_app.beta.id
    client = app.client("admin", app.beta)
    assert client.get("/api/jobs").status_code == client.get("/api/dashboard/stats").status_code == 200
    app.services.usage.write()
    others = rows_of(app, app.alpha.id)
    ((jobs,),) = query(app, f"SELECT count(*) FROM jobs WHERE tenant_id = {beta}")
    folder = tmp_path / "beta"
    result = close(run, app, folder, "beta\ny\n", OPERATOR_TENANTS=str(app.alpha.id))
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert len((folder / "jobs.jsonl").read_text().splitlines()) == jobs > 0
    assert rows_of(app, beta) == {}
    assert query(app, f"SELECT count(*) FROM usage_by_day WHERE business = {beta}") == [(0,)]
    assert not list(Path(app.services.config.document_store, str(beta)).glob("*"))
    after = rows_of(app, app.alpha.id)
    assert after["audit_logs"] == others["audit_logs"] + 1
    # Counts may have been folded.
    moving = {"audit_logs", "rollups", "rollup_deltas"}
    assert {table: after[table] for table in {*after} - moving} == {
        table: others[table] for table in {*others} - moving
    }
    ((entity_id, changes),) = query(app, "SELECT entity_id, changes FROM audit_logs WHERE action = 'close'")
    assert (entity_id, changes["slug"]) == (beta, ["beta", None])
    assert "business beta" in (folder / "CLOSED.txt").read_text()
    app.poll_changes()
    assert client.get("/api/jobs").status_code == 401
    assert app.sign_in(app.beta.email("admin")).status_code == 401
    assert app.client().get("/api/jobs").status_code == 200


def test_a_business_that_runs_the_service_is_not_closed(
    run: Run,
    own_app: Application,
    tmp_path: Path,
) -> None:
    result = close(run, own_app, tmp_path / "beta", "", OPERATOR_TENANTS=str(own_app.beta.id))
    assert "OPERATOR_TENANTS names beta" in str(result.exception)
    assert not (tmp_path / "beta").exists()


def test_its_export_is_taken_back_by_another_business(
    run: Run,
    own_app: Application,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "beta"
    assert close(run, own_app, folder, "beta\ny\n").exit_code == 0
    urls = {"DATABASE_URL": own_app.database.app_url, "SECRET_KEY": SECRET}
    assert run("tenant", "add", "again", "--name", "Again", **urls).exit_code == 0
    told = run("import", str(folder), "--mapping", str(folder / "mapping.toml"), "--tenant", "again", **urls)
    assert told.exit_code == 0, told.output
    ((jobs,),) = query(
        own_app,
        "SELECT count(*) FROM jobs AS j JOIN tenants AS t ON t.id = j.tenant_id WHERE t.slug = 'again'",
    )
    assert jobs == len([json.loads(line) for line in (folder / "jobs.jsonl").read_text().splitlines()])
