"""A backup is whole, private and told by health; it comes back equal, and what cannot come back is refused."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.config import load_config
from opsboard.db.embedded import Cluster
from opsboard.features.health.advice import OLD_BACKUP, Advice, advise_on_backup
from tests.application import Application, running_application
from tests.clusters import FreshDatabase
from tests.commands.conftest import Run
from tests.db.migrating import blank_database
from tests.deploy.test_files import DEPLOY, unit
from tests.drills import checksums

DAY = 86_400


def back_up(run: Run, database: FreshDatabase, folder: Path, *words: str) -> Path:
    done = run("backup", "--into", str(folder), *words, **urls(database))
    assert done.exit_code == 0, (done.output, done.exception)
    return max(folder.glob("opsboard-2*.dump"), key=lambda path: path.stat().st_mtime)


def urls(database: FreshDatabase) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "DATABASE_BACKUP_URL": database.superuser_url}


@pytest.fixture
def blank(cluster: Cluster) -> Iterator[FreshDatabase]:
    with blank_database(cluster) as database:
        yield database


def test_a_backup_is_private_told_by_health_and_old_ones_go(
    own_app: Application, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old, recent, other = (folder / name for name in ("opsboard-1.dump", "opsboard-2.dump", "else.dump"))
    for path, days in ((old, 16), (recent, 3), (other, 90)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - days * DAY,) * 2)
    client = own_app.client()
    assert client.get("/api/health/db").json["server"]["last_backup"] is None  # type: ignore[index]
    before = os.umask(0o022)
    try:
        new = back_up(run, own_app.database, folder, "--keep-days", "14")
    finally:
        os.umask(before)
    assert set(folder.iterdir()) == {recent, other, new}
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    told = client.get("/api/health/db").json["server"]["last_backup"]  # type: ignore[index]
    assert told["bytes"] == new.stat().st_size and 0 <= told["age_seconds"] < 600


@pytest.mark.parametrize("role", ["owner_url", "app_url"])
def test_a_role_that_would_leave_rows_out_is_refused(
    own_app: Application, run: Run, tmp_path: Path, role: str
) -> None:
    old = tmp_path / "opsboard-1.dump"
    old.write_bytes(b"")
    os.utime(old, (time.time() - 90 * DAY,) * 2)
    url = getattr(own_app.database, role)
    words = ("backup", "--into", str(tmp_path), "--keep-days", "1")
    done = run(*words, DATABASE_URL=own_app.database.app_url, DATABASE_BACKUP_URL=url)
    assert "does not see all rows" in str(done.exception)
    assert list(tmp_path.glob("*.dump*")) == [old]
    assert "DATABASE_BACKUP_URL must be set" in str(
        run(*words, DATABASE_URL=own_app.database.app_url).exception
    )


def test_everything_comes_back_and_sign_ins_do_not(
    own_app: Application, run: Run, tmp_path: Path, blank: FreshDatabase
) -> None:
    client = own_app.client()
    invited = {"email": "new@alpha.example", "full_name": "New", "role": "operator"}
    assert client.post("/api/users", json=invited).status_code == 201
    bearer, kept = own_app.token(), checksums(own_app.database.superuser_url)
    assert kept["jobs"][0] > 0 and kept["rollup_deltas"][0] > 0 and len(kept) > 30
    path = back_up(run, own_app.database, tmp_path)
    done = run("restore", str(path), **urls(blank))
    assert done.exit_code == 0, (done.output, done.exception)
    assert checksums(blank.superuser_url) == kept
    with running_application(blank, own_app.alpha, own_app.beta) as restored:
        held = restored.app.test_client().get("/api/jobs", headers={"Authorization": f"Bearer {bearer}"})
        assert held.status_code == 401
        assert restored.sign_in(own_app.alpha.email("admin")).status_code == 200
        # Its change feed starts from nothing: an answer is cached, and a write ends it.
        admin = restored.client()
        before = admin.get("/api/dashboard/stats").json
        assert admin.get("/api/dashboard/stats").headers["X-Cache"] == "HIT"
        assert admin.post("/api/jobs", json={"title": "One more"}).status_code == 201
        assert admin.get("/api/dashboard/stats").json != before
    with closing(psycopg2.connect(blank.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM password_links WHERE used_at IS NULL AND revoked_at IS NULL")
        assert cursor.fetchone() == (0,)
        # Deltas with the old server's transaction ids would be read as new changes at every poll.
        cursor.execute(
            "SELECT count(*) FROM rollup_deltas WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())"
        )
        assert cursor.fetchone() == (0,)
    assert "not empty" in str(run("restore", str(path), **urls(blank)).exception)


def cut_off(path: Path) -> None:
    """The contents are at the beginning and can be read; the data of the last tables are not there."""
    path.write_bytes(path.read_bytes()[:-2000])


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3000:-2000] = bytes(1000)
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [cut_off, spoil])
def test_a_damaged_backup_is_restored_not_at_all(
    app: Application, run: Run, tmp_path: Path, blank: FreshDatabase, harm: Callable[[Path], None]
) -> None:
    path = back_up(run, app.database, tmp_path)
    harm(path)
    done = run("restore", str(path), **urls(blank))
    assert done.exit_code != 0 and "restored" in str(done.exception), done.output
    assert checksums(blank.superuser_url) == {}


def test_verify_restores_checks_and_says_how_long(app: Application, run: Run, tmp_path: Path) -> None:
    path = back_up(run, app.database, tmp_path)
    done = run("backup", "verify", str(path))
    assert done.exit_code == 0, (done.output, done.exception)
    for part in ("restored ", "schema of this version ", "doctor ", "rollups verify ", "2 businesses, "):
        assert part in done.output
    assert "can be restored, all is well" in done.output


def test_verify_finds_what_is_wrong_inside(own_app: Application, run: Run, tmp_path: Path) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        cursor.execute("SELECT fold_rollups(1000000); DROP INDEX idx_jobs_priority")
        cursor.execute(
            "UPDATE rollups SET n = n + 1 WHERE tenant_id = 2 AND metric = 'jobs' AND label = 'draft'"
        )
    done = run("backup", "verify", str(back_up(run, own_app.database, tmp_path)))
    assert done.exit_code == 1, (done.output, done.exception)
    assert "rollups verify: beta: jobs draft: kept 7, counted 6" in done.output
    assert (
        "doctor: indexes: missing: idx_jobs_priority" in done.output
        and "can be restored, 2 faults" in done.output
    )


@pytest.mark.parametrize("word", ["restore", "verify"])
def test_a_file_that_is_no_backup_is_refused(
    run: Run, tmp_path: Path, blank: FreshDatabase, word: str
) -> None:
    (tmp_path / "x.dump").write_text("no backup")
    done = run(*(["restore"] if word == "restore" else ["backup", "verify"]), "x.dump", **urls(blank))
    assert "is not a backup that can be read" in str(done.exception)


@pytest.mark.parametrize(("hours", "status"), [(30, "healthy"), (60, "warning")])
def test_two_nights_without_one_are_a_warning(hours: int, status: str) -> None:
    advice = Advice()
    advise_on_backup(load_config({}, None), {"last_backup": {"age_seconds": hours * 3600}}, advice)
    assert advice.status == status and OLD_BACKUP > DAY


def test_the_unit_runs_it_as_a_role_that_sees_all_rows_and_writes_where_it_may() -> None:
    service, timer = unit("opsboard-backup.service")["Service"], unit("opsboard-backup.timer")["Timer"]
    folder = f"/var/lib/{service['StateDirectory']}"
    assert service["ExecStart"].split()[:4] == ["/opt/opsboard/bin/opsboard", "backup", "--into", folder]
    assert service["Environment"] == "DATABASE_BACKUP_URL=postgresql:///opsboard"
    assert (service["User"], service["UMask"], service["StateDirectoryMode"]) == ("postgres", "0077", "0700")
    assert timer["Persistent"] == "true"
    assert folder in (DEPLOY.parent / "docs" / "operations.md").read_text()
