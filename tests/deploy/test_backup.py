"""The nightly backup can be read back, is for nobody else, removes old ones, and health tells how old it is."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from opsboard.config import load_config
from opsboard.db.postgres_programs import embedded_bindir
from opsboard.features.health.advice import OLD_BACKUP, Advice, advise_on_backup
from tests.application import Application
from tests.deploy.test_files import DEPLOY, unit

DAY = 86_400


def back_up(folder: Path, app: Application, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    parts = parse_dsn(app.database.superuser_url)
    settings = {
        "PATH": f"{embedded_bindir()}:/usr/bin:/bin", "PGHOST": parts["host"], "PGPORT": parts["port"],
        "PGUSER": "postgres", "PGDATABASE": parts["dbname"],
    }  # fmt: skip
    command = ["sh", "-c", 'umask 022; exec "$@"', "sh", DEPLOY / "opsboard-backup", folder, *words]
    return subprocess.run(command, env={**settings, **changes}, capture_output=True, text=True, check=False)


def test_a_backup_is_whole_private_and_told_by_health(own_app: Application, tmp_path: Path) -> None:
    old, recent, other = (tmp_path / name for name in ("opsboard-1.dump", "opsboard-2.dump", "else.dump"))
    for path, days in ((old, 16), (recent, 3), (other, 90)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - days * DAY,) * 2)
    client = own_app.client()
    assert client.get("/api/health/db").json["server"]["last_backup"] is None  # type: ignore[index]
    done = back_up(tmp_path, own_app)
    assert done.returncode == 0, done.stderr
    (new,) = set(tmp_path.iterdir()) - {old, recent, other}
    assert not old.exists() and recent.exists() and other.exists()
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    listed = subprocess.run(
        [embedded_bindir() / "pg_restore", "--list", new], capture_output=True, text=True, check=True
    )
    assert "TABLE DATA public users" in listed.stdout
    told = client.get("/api/health/db").json["server"]["last_backup"]  # type: ignore[index]
    assert told["bytes"] == new.stat().st_size and 0 <= told["age_seconds"] < 600


def test_one_that_fails_leaves_what_there_was_and_no_half_file(own_app: Application, tmp_path: Path) -> None:
    old = tmp_path / "opsboard-1.dump"
    old.write_bytes(b"")
    os.utime(old, (time.time() - 90 * DAY,) * 2)
    # Row security binds the owner of the tables: a dump would lack rows.
    assert back_up(tmp_path, own_app, PGUSER="opsboard_owner").returncode != 0
    assert list(tmp_path.iterdir()) == [old]
    health = own_app.client().get("/api/health/db").json
    assert health is not None and health["server"]["last_backup"] is None


@pytest.mark.parametrize(("hours", "status"), [(30, "healthy"), (60, "warning")])
def test_two_nights_without_one_are_a_warning(hours: int, status: str) -> None:
    advice = Advice()
    advise_on_backup(load_config({}, None), {"last_backup": {"age_seconds": hours * 3600}}, advice)
    assert advice.status == status and OLD_BACKUP > DAY


def test_the_unit_runs_it_as_a_role_that_sees_all_rows_and_writes_where_it_may() -> None:
    service, timer = unit("opsboard-backup.service")["Service"], unit("opsboard-backup.timer")["Timer"]
    folder = f"/var/lib/{service['StateDirectory']}"
    assert service["ExecStart"].split()[:2] == ["/usr/local/sbin/opsboard-backup", folder]
    assert (service["User"], service["UMask"], service["StateDirectoryMode"]) == ("postgres", "0077", "0700")
    assert timer["Persistent"] == "true"
    text = (DEPLOY.parent / "docs" / "operations.md").read_text()
    assert "install -m 0755 deploy/opsboard-backup /usr/local/sbin/" in text and folder in text
