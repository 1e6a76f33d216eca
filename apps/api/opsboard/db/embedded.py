"""Runs a private Postgres: made on first use, reached by a Unix socket only, adopted when it already runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from psycopg2 import errors as postgres_errors
from psycopg2 import sql

from opsboard.db.postgres_programs import PostgresPrograms, account_for, embedded_bindir, make_folder
from opsboard.db.postmaster import Postmaster
from opsboard.db.server_watch import connect
from opsboard.db.socket_folder import fits_a_socket, remembered_folder, short_folder
from opsboard.errors import EmbeddedError

SUPERUSER = "postgres"
OWNER = "opsboard_owner"
PORT = 5432  # only the name of the socket file
PATIENCE = 60.0

CONFIGURATION = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data nobody will miss: a crash of the machine may lose it, a crash of the server does not.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """One Postgres server with its data folder."""

    def __init__(
        self,
        data: Path,
        bindir: Path | None = None,
        socket_dir: Path | None = None,
        *,
        durable: bool = True,
        max_connections: int = 100,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data = Path(os.path.abspath(data))
        self.durable = durable
        self._postmaster = Postmaster(self.data)
        self._bindir = bindir
        self._wanted_socket_dir = socket_dir
        self._settings = {
            **CONFIGURATION,
            "max_connections": str(max_connections),
            **({} if durable else THROWAWAY),
            **(settings or {}),
        }

    def start(self) -> None:
        """Start the server, making its data folder when there is none; one that runs already is adopted."""
        make_folder(self.data.parent)
        with self._locked():
            if self._adopt():
                return
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._check_version()
            self._configure()
            self._launch()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and wait for it; nothing happens when it does not run."""
        if not self.running:
            return
        with self._locked():
            done = self._programs.run(
                "pg_ctl", "stop", "-w", "-t", str(int(PATIENCE)), "-m", mode, "-D", str(self.data)
            )
            if done.returncode != 0 and self.running:
                raise EmbeddedError(f"Postgres in {self.data} does not stop: {done.stdout.strip()}")

    def restart(self, mode: str = "fast") -> None:
        """Stop and start again at the same address."""
        self.stop(mode)
        self.start()

    @property
    def running(self) -> bool:
        """True if the server's process lives, also while it starts or stops."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The number of the server's main process."""
        return self._postmaster.pid

    @property
    def socket_dir(self) -> Path:
        """The folder of the server's socket: inside the data folder unless that path is too long for one."""
        recorded = self._postmaster.socket_dir
        if recorded is not None:
            return recorded
        return self._wanted_socket_dir or remembered_folder(self.data) or self.data

    def url(self, user: str, database: str) -> str:
        """A libpq address of one database as one role."""
        host = quote(str(self.socket_dir), safe="/")
        return f"postgresql:///{quote(database, safe='')}?host={host}&port={PORT}&user={quote(user, safe='')}"

    def ensure_roles_and_database(self, name: str = "opsboard") -> None:
        """Make the owner role and its database when missing; the owner is no superuser."""
        with closing(connect(self.url(SUPERUSER, "postgres"), "embedded")) as connection:
            connection.autocommit = True
            owner, database = sql.Identifier(OWNER), sql.Identifier(name)
            for statement in (
                sql.SQL("CREATE ROLE {owner} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS").format(owner=owner),
                sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(database=database, owner=owner),
            ):
                try:
                    connection.cursor().execute(statement)
                # Both are tried rather than looked up first: two starts at once must not fail.
                except (
                    postgres_errors.DuplicateObject,
                    postgres_errors.DuplicateDatabase,
                    postgres_errors.UniqueViolation,
                ):
                    continue

    @cached_property
    def _programs(self) -> PostgresPrograms:
        account = account_for(self.data)
        if account.switch and not account.may("x", self.data.parent):
            raise EmbeddedError(
                f"Postgres runs as user {account.name} (it refuses to be root) and cannot reach "
                f"{self.data.parent}; set OPSBOARD_DATA to a folder outside private ones."
            )
        return PostgresPrograms(self._bindir or embedded_bindir(), account, copies=self.data.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.data.parent / f".{self.data.name}.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _adopt(self) -> bool:
        """Wait while a running server starts or stops, and say whether it is there to be used."""
        deadline = time.monotonic() + PATIENCE
        while self.running:
            if self._postmaster.status == "ready" and self._answers():
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Postgres in {self.data} does not become ready; see its server.log.")
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Return True if it takes connections; one just killed says "ready" until the system has cleared it away."""
        done = self._programs.run("pg_isready", "-q", "-t", "3", "-h", str(self.socket_dir), "-p", str(PORT))
        return done.returncode == 0

    def _initialise(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise EmbeddedError(f"{self.data} is neither empty nor a Postgres data folder.")
        # Made beside and renamed when complete, so that an interrupted start leaves nothing half made.
        scratch = self.data.parent / f".{self.data.name}.new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        account = self._programs.account
        account.give(scratch)
        locale = ["--locale=C.UTF-8"]
        if self._programs.major >= 17:
            # It has the same order and letter cases built in, whatever the system offers.
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = [f"--username={SUPERUSER}", "--auth=trust", "--encoding=UTF8", *locale]
        if not self.durable:
            options.append("--no-sync")
        done = self._programs.run("initdb", *options, "-D", str(scratch))
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed: {done.stdout.strip()}")
        with open(scratch / "postgresql.conf", "a") as configuration:
            configuration.write("include_if_exists = 'opsboard.conf'\n")
        scratch.rename(self.data)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self._programs.major):
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {made_by}, the one here is {self._programs.version}; "
                "dump it with the old version, or set OPSBOARD_DATA to a new folder."
            )

    def _configure(self) -> None:
        """Write the settings and clear what a crash left behind; the server does not run now."""
        self._postmaster.forget()
        folder = str(self._prepare_socket_dir()).replace('"', '""')
        settings = {**self._settings, "unix_socket_directories": f'"{folder}"'}
        lines = [f"{name} = '{_quoted(value)}'\n" for name, value in settings.items()]
        self._write("opsboard.conf", "".join(lines))

    def _prepare_socket_dir(self) -> Path:
        folder = self.socket_dir
        if not fits_a_socket(folder, PORT):
            if self._wanted_socket_dir is not None:
                raise EmbeddedError(f"{folder} is too long a path for a socket (or has a comma in it).")
            folder = short_folder()
            self._write("socket_dir", str(folder))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            self._programs.account.give(folder)
        return folder

    def _launch(self) -> None:
        """Start the server; after a kill -9 its orphans may hold the memory for a moment more."""
        deadline = time.monotonic() + PATIENCE
        log = self.data / "server.log"
        while True:
            if log.exists():
                log.replace(self.data / "server.log.1")
            done = self._programs.run(
                "pg_ctl", "start", "-w", "-t", str(int(PATIENCE)), "-D", str(self.data), "-l", str(log)
            )
            if done.returncode == 0:
                return
            said = log.read_text(errors="replace") if log.exists() else done.stdout
            if "is still in use" not in said or time.monotonic() > deadline:
                raise EmbeddedError(f"Postgres in {self.data} does not start: {said.strip()[-2000:]}")
            time.sleep(0.1)

    def _write(self, name: str, content: str) -> None:
        handle, path = tempfile.mkstemp(dir=self.data)
        with open(handle, "w") as file:
            file.write(content)
        self._programs.account.give(Path(path))
        os.replace(path, self.data / name)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
