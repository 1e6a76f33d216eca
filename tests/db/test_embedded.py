"""The private Postgres: made, adopted, stopped, and refused in words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.errors import EmbeddedError
from tests.clusters import FreshDatabase
from tests.db.private_servers import answer, throwaway


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
    socket = any_cluster.socket_dir / ".s.PGSQL.5432"
    for path in (socket, socket.parent):
        assert path.stat().st_mode & 0o077 == 0


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


def test_running_server_is_adopted_by_a_later_start(data: Path) -> None:
    throwaway(data).start()
    later = throwaway(data)
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


def test_stop_of_a_stopped_server_does_nothing(data: Path) -> None:
    cluster = throwaway(data)
    cluster.stop()
    cluster.start()
    cluster.stop()
    cluster.stop()
    assert not cluster.running


def test_environment_does_not_lead_the_server_or_its_clients_astray(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "/nowhere",
        "PGDATA": "/nowhere",
        "PGUSER": "nobody",
    }.items():
        monkeypatch.setenv(name, value)
    cluster = throwaway(data)
    cluster.start()
    assert answer(cluster, "SELECT current_user::text") == SUPERUSER
    assert b"nowhere" not in Path(f"/proc/{cluster.pid}/environ").read_bytes()


def test_folder_with_other_files_is_refused_and_left_alone(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedError, match="neither empty nor a Postgres data folder"):
        throwaway(place / "data").start()
    assert (place / "data" / "letter.txt").read_text() == "dear"


def test_data_of_another_version_is_refused_with_both_versions_named(data: Path) -> None:
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15, the one here is 18"):
        throwaway(data).start()


def test_setting_postgres_rejects_is_told_in_its_words(data: Path) -> None:
    with pytest.raises(EmbeddedError, match="work_mem"):
        throwaway(data, settings={"work_mem": "much"}).start()
