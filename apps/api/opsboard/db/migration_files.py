"""The migration files of a folder, cut into statements that can be run one by one."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import sqlparse

from opsboard.errors import MigrationError

_FILE_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
# Blank lines and comments before the first statement; `-- depends:` and `-- transactional:` may be among them.
_HEAD = re.compile(r"(?:[ \t]*(?:--[^\n]*)?\n)*")
_DIRECTIVE = re.compile(r"(?m)^\s*--\s*(transactional|depends)\s*:\s*(.*)$")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_BUILT_INDEX = re.compile(
    r'CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (?:"?\w+"?\.)?"?(\w+)"? ON\b', re.IGNORECASE
)
# Statements allowed in a file without a transaction: a kill can come between any two of them, so each of
# them must do no harm the second time.
_RERUNNABLE = re.compile(
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS"
    r"|DROP INDEX CONCURRENTLY IF EXISTS"
    r"|ALTER TABLE (ONLY )?\S+ VALIDATE CONSTRAINT"
    r"|ALTER TYPE \S+ ADD VALUE IF NOT EXISTS"
    r"|CALL fill_\w+\(\)"
    r"|ANALYZE\b",
    re.IGNORECASE,
)


def default_folder() -> Path:
    """The migrations of the checkout this module runs from, else those the package installed."""
    checkout = Path(__file__).resolve().parents[4]
    if (checkout / "apps" / "api" / "opsboard").is_dir() and (checkout / "migrations").is_dir():
        return checkout / "migrations"
    installed = Path(sys.prefix) / "share" / "opsboard" / "migrations"
    if installed.is_dir():
        return installed
    raise MigrationError(f"There are no migrations in {checkout} nor in {installed}; install opsboard again.")


@dataclass(frozen=True)
class Script:
    """The statements of one file, in order, and whether they are one transaction."""

    path: Path
    statements: Sequence[str]
    transactional: bool


@dataclass(frozen=True)
class Migration:
    """One step of the schema: the file that makes it, and the file that takes it back."""

    id: str
    checksum: str
    depends: Sequence[str]
    up: Script
    down: Script | None


def read_migrations(folder: Path) -> list[Migration]:
    """Every migration of the folder, oldest first."""
    if not folder.is_dir():
        raise MigrationError(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.glob("*.sql") if not path.name.endswith(".rollback.sql"))
    for path in paths:
        if not _FILE_NAME.fullmatch(path.name):
            raise MigrationError(f"{path.name}: name it NNNN_what.sql, in lower case.")
    migrations = [_read_migration(path) for path in paths]
    for earlier, later in pairwise(migrations):
        if earlier.id[:4] == later.id[:4]:
            raise MigrationError(f"{later.id} has the number of {earlier.id}; renumber it.")
    known: set[str] = set()
    for migration in migrations:
        if unknown := [needed for needed in migration.depends if needed not in known]:
            raise MigrationError(f"{migration.id} depends on {unknown[0]}, which does not come before it.")
        known.add(migration.id)
    return migrations


def built_index(sql: str) -> str | None:
    """The name of the index this statement builds concurrently: a kill leaves it behind, invalid."""
    match = _BUILT_INDEX.match(without_comments(sql))
    return match[1] if match else None


def without_comments(sql: str) -> str:
    """The statement on one line and without its comments, to look at and not to run."""
    return " ".join(_COMMENT.sub(" ", sql).split())


def _read_migration(path: Path) -> Migration:
    up, directives = _read_script(path, transactional=True)
    back = path.with_name(path.stem + ".rollback.sql")
    down = _read_script(back, transactional=up.transactional)[0] if back.is_file() else None
    return Migration(path.stem, _checksum(path), directives.get("depends", "").split(), up, down)


def _checksum(path: Path) -> str:
    # Read as text: line ends are not part of the meaning, and git may rewrite them.
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


@lru_cache(maxsize=512)
def _split(path: Path, checksum: str) -> tuple[dict[str, str], list[str]]:
    """Directives and statements of the file while it has this checksum: splitting it takes about 10 ms."""
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    assert head is not None  # it may be empty
    directives: dict[str, str] = {}
    for name, value in _DIRECTIVE.findall(head[0]):
        directives[name] = f"{directives.get(name, '')} {value}".strip()
    return directives, sqlparse.split(text[head.end() :])


def _read_script(path: Path, *, transactional: bool) -> tuple[Script, dict[str, str]]:
    directives, statements = _split(path, _checksum(path))
    answer = directives.get("transactional", str(transactional)).strip().lower()
    if answer not in {"true", "false"}:
        raise MigrationError(f"{path.name}: transactional is true or false, not {answer}.")
    # sqlparse makes a statement of a comment at the end of a file, and Postgres refuses an empty one.
    script = Script(path, [sql for sql in statements if without_comments(sql).strip("; ")], answer == "true")
    for number, sql in enumerate(script.statements, 1):
        if not script.transactional and not _RERUNNABLE.match(without_comments(sql)):
            raise MigrationError(
                f"{path.name}, statement {number}: without a transaction only statements that can run "
                "twice are allowed, such as CREATE INDEX CONCURRENTLY IF NOT EXISTS."
            )
    return script, directives
