"""The wheel, installed into an empty virtualenv, brings all it needs; and the database it is given is safe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard import __version__
from opsboard.commands.preflight import check
from opsboard.config import load_config
from opsboard.db.embedded import SUPERUSER
from opsboard.db.migrations import Migrator
from opsboard.db.postgres_programs import embedded_bindir
from opsboard.settings import env_example
from tests.application import SECRET
from tests.clusters import MIGRATIONS, FreshDatabase, running_cluster
from tests.deploy.http_client import Client
from tests.deploy.servers import private_folder
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
BUILT_FROM = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "README.md",
    "LICENSE",
    "gunicorn.conf.py",
    "apps",
    "migrations",
)
pytestmark = pytest.mark.slow


def uv() -> str:
    found = shutil.which("uv") or next(map(str, ROOT.glob(".tools/uv-*/bin/uv")), None)
    if found is None:
        pytest.skip("uv is not installed; bin/setup installs it into .tools")
    return found


def run(*command: object, **environ: str) -> str:
    """Return the output of a command that must succeed. It inherits none of this process's settings."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_"))}
    base = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        list(map(str, command)), env={**kept, **base, **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """The bin folder of a virtualenv with nothing but the wheel and what it depends on."""
    with private_folder() as folder:
        source = folder / "source"
        source.mkdir()
        for name in BUILT_FROM:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
        run(uv(), "build", "--quiet", "--wheel", "--out-dir", folder / "dist", source)
        (wheel,) = (folder / "dist").glob("opsboard-*.whl")
        shutil.rmtree(source)
        run(uv(), "venv", "--quiet", "--python", sys.executable, folder / "venv")
        run(uv(), "pip", "install", "--quiet", "--python", folder / "venv" / "bin" / "python", wheel)
        yield folder / "venv" / "bin"


def test_the_wheel_brings_commands_migrations_and_gunicorns_settings(
    installed: Path, database: FreshDatabase
) -> None:
    program = installed / "opsboard"
    assert __version__ in run(program, "--version")
    assert run(program, "config", "--example") == env_example()
    owner = {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url}
    assert "all migrations are as applied" in run(program, "migrate", "--verify", **owner)
    assert "dashboard.stats" in run(program, "explain")
    assert (installed.parent / "share" / "opsboard" / "gunicorn.conf.py").read_text() == (
        ROOT / "gunicorn.conf.py"
    ).read_text()


def test_wheels_of_different_content_have_different_versions(tmp_path: Path) -> None:
    names = []
    for change in ("", "-- changed\n"):
        source = tmp_path / f"source{len(names)}"
        source.mkdir()
        for name in BUILT_FROM:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
        with (source / "migrations" / "0001_tenants_and_users.sql").open("a") as file:
            file.write(change)
        run(uv(), "build", "--quiet", "--wheel", "--out-dir", source / "dist", source)
        names += [wheel.name for wheel in (source / "dist").glob("*.whl")]
    assert len(set(names)) == 2 and all(name.startswith(f"opsboard-{__version__}+c") for name in names)


def test_the_installed_service_serves_and_says_that_it_is_alive(
    installed: Path, database: FreshDatabase
) -> None:
    with private_folder() as folder:
        socket = folder / "opsboard.sock"
        settings = {
            "PATH": os.environ["PATH"],
            "BIND": f"unix:{socket}",
            "OPSBOARD_ENV": "production",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": database.app_url,
        }
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(
                [installed / "opsboard", "serve"], env=settings, cwd=folder, stdout=log, stderr=log
            )
        alive = [installed / "python", "-m", "opsboard.commands.alive"]
        try:
            eventually("alive", lambda: subprocess.run(alive, env=settings, check=False).returncode == 0)
            assert Client(socket).get("/api/health/ready").status == 200
            assert Client(socket).get("/").status == 200, (folder / "log").read_text()
        finally:
            process.terminate()
            assert process.wait(40) == 0
        assert subprocess.run(alive, env=settings, check=False).returncode == 1


def test_the_roles_of_deploy_are_safe_ones(folder_of_clusters: Path) -> None:
    with running_cluster(folder_of_clusters / "roles") as cluster:
        superuser = cluster.url(SUPERUSER, "postgres")
        passwords = {"OPSBOARD_OWNER_PASSWORD": "it's a 'password'", "OPSBOARD_APP_PASSWORD": "another"}
        run(
            embedded_bindir() / "psql",
            "-X",
            "-q",
            "-f",
            ROOT / "deploy" / "roles.sql",
            superuser,
            **passwords,
        )
        with closing(psycopg2.connect(superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'opsboard%' AND rolpassword LIKE 'SCRAM%'"
            )
            assert cursor.fetchone() == (2,)
        assert not any(
            password in (cluster.data / "server.log").read_text() for password in passwords.values()
        )
        with (
            closing(psycopg2.connect(cluster.url("opsboard_app", "opsboard"))) as connection,
            connection.cursor() as cursor,
            pytest.raises(psycopg2.DataError),
        ):
            cursor.execute("SELECT 'data of a customer'::integer")
        written = (cluster.data / "server.log").read_text()
        assert "STATEMENT" not in written and "invalid input syntax" in written
        assert Migrator(cluster.url("opsboard_owner", "opsboard"), MIGRATIONS).up()
        settings = {
            "OPSBOARD_ENV": "production",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": cluster.url("opsboard_app", "opsboard"),
        }
        assert check(load_config(settings, None)) == []
