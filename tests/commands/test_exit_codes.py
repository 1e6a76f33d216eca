"""Every command as it is installed ends with the exit code its help promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import psycopg2
import pytest

from opsboard.cli import COMMANDS
from opsboard.cli import opsboard as group
from opsboard.db.embedded import Cluster
from tests.application import SECRET
from tests.clusters import FreshDatabase, fresh_database
from tests.seed import Business

INSTALLED = Path(sys.executable).parent / "opsboard"
WELL = {
    "config": 0, "config --example": 0, "explain": 0, "explain dashboard.stats --tenant alpha": 0, "--version": 0,
    "indexes list": 0, "indexes verify": 0, "indexes build": 0, "rollups verify": 0, "rollups rebuild": 0,
    "migrate": 0, "migrate --status": 0, "migrate --verify": 0, "doctor": 0, "serve --check": 0,
    "journeys run --once": 0, "collisions": 0, "documents sweep --dry-run": 0,
    "documents sweep": 0, "import --example": 0, "tenant add gamma --name Gamma": 0,
    "tenant list": 0, "tenant change gamma --name Delta": 0, "tenant rename gamma Epsilon": 0,
    "user reset-link admin@alpha.example --tenant alpha": 0, "migrate --check": 0, "maintain --dry-run": 0,
    "maintenance on --retry-after 5": 0, "maintenance off": 0, "maintenance status": 0,
    "tenant export alpha exported": 0, "outbox run --once": 0, "user list --tenant alpha": 0,
    "back-test --tenant alpha --from 2026-01-01 --to 2026-01-02 --days 1": 0,
    "user rename operator@alpha.example --tenant alpha --name Kim": 0,
    "user role operator@alpha.example manager --tenant alpha": 0,
    "user deactivate operator@alpha.example --tenant alpha": 0,
    "user activate operator@alpha.example --tenant alpha": 0, "user unlock operator@alpha.example --tenant alpha": 0,
    "user invite new@alpha.example --tenant alpha --role operator": 0, "user link new@alpha.example --tenant alpha": 0,
    "user hand-over new@alpha.example --to-nobody --tenant alpha": 0, "token list --tenant alpha": 0,
    "token add T --tenant alpha --user admin@alpha.example --scope read": 0, "token revoke 1 --tenant alpha": 0,
}  # fmt: skip
# With a database that lacks an index and a migration and has a wrong count.
SPOILED = {
    "indexes verify": 1, "rollups verify": 1, "doctor": 2, "migrate --verify": 2, "serve --check": 2,
    "indexes build": 2,
}  # fmt: skip
REFUSED = {
    "": 2, "nonsense": 2, "config --nonsense": 2, "explain nonsense": 2, "explain jobs.get_job --tenant nobody": 2,
    "rollups verify --tenant nobody": 2, "rollups rebuild --tenant nobody": 2,
    "collisions --tenant nobody": 2, "migrate --to 9999": 2,
    "back-test --tenant nobody --from 2026-01-01 --to 2026-01-02": 2,
    "back-test --tenant alpha --from 2026-01-02 --to 2026-01-01": 2,
    "import nowhere": 2, "tenant add UPPER --name x": 2, "tenant add alpha --name x": 2,
    "user add x --tenant alpha --role admin": 2, "user password nobody@alpha.example --tenant alpha": 2,
    "tenant list --nonsense": 2, "tenant change alpha": 2, "user list --tenant nobody": 2,
    "user rename nobody@alpha.example --tenant alpha --name x": 2,
    "user role admin@alpha.example manager --tenant alpha": 2,
    "user deactivate admin@alpha.example --tenant alpha": 2, "user activate nobody@alpha.example --tenant alpha": 2,
    "user unlock nobody@alpha.example --tenant alpha": 2, "user invite x --tenant alpha --role operator": 2,
    "user link nobody@alpha.example --tenant alpha": 2, "user hand-over admin@alpha.example --tenant alpha": 2,
    "token list --tenant nobody": 2, "token add T --tenant alpha --user admin@alpha.example --scope all": 2,
    "token revoke 999999 --tenant alpha": 2,
    "journeys run --batch 0": 2, "bench --only nonsense": 2, "demo --jobs 0": 2, "serve --nonsense": 2,
    "indexes list --nonsense": 2, "documents sweep --older-than 0": 2,
    "tenant rename nobody x": 2, "user reset-link nobody@alpha.example --tenant alpha": 2,
    "maintain --keep jobs=3": 2, "maintenance on --retry-after 0": 2,
    "maintenance off --nonsense": 2, "maintenance status --nonsense": 2,
    "tenant export nobody x": 2, "tenant close nobody x": 2, "outbox run --every 0": 2,
    "backup": 2, "backup verify nowhere": 2, "backup verify .": 2, "restore nowhere": 2,
}  # fmt: skip


# Runs the installed command without its start-up time: it is loaded once and forked.
FORKING = """
import json, os, sys
from importlib.metadata import entry_points
(entry,) = entry_points(group="console_scripts", name="opsboard")
main = entry.load()
import opsboard.cli
for name in opsboard.cli.COMMANDS:
    opsboard.cli.opsboard.get_command(None, name)
import opsboard.application
for words in json.load(sys.stdin):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.argv = ["opsboard", *words.split()]
        sys.exit(main())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([words, code]), flush=True)
"""


def settings(database: FreshDatabase, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url, "SECRET_KEY": SECRET,
        "OPSBOARD_ENV": "production", "OPERATOR_TENANTS": "1", "DOCUMENT_STORE": str(folder / "documents"),
        "OPSBOARD_DATA": str(folder), "PATH": os.environ["PATH"],
    }  # fmt: skip


def codes(tried: dict[str, int], database: FreshDatabase, folder: Path) -> dict[str, int]:
    """The exit code of each command line; none of them shows a traceback."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], cwd=folder, env=settings(database, folder), input=json.dumps(list(tried)),
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def well(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="module")
def spoiled(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    with fresh_database(cluster, seeded[0]) as database:
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("DROP INDEX idx_jobs_priority; SELECT fold_rollups(1000000)")
            cursor.execute("UPDATE rollups SET n = n + 1 WHERE metric = 'jobs'")
            cursor.execute("DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)")
        yield database


def test_every_command_has_a_good_end_and_a_bad_one_here() -> None:
    """But those that serve or measure until they are stopped: their good end is tested where they run."""
    context = click.Context(group)
    leaves = set()
    for name in COMMANDS:
        command = group.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        leaves |= {f"{name} {word}".strip() for word in inner}

    def untested(tried: dict[str, int]) -> set[str]:
        return {leaf for leaf in leaves if not any(f"{words} ".startswith(f"{leaf} ") for words in tried)}

    assert (
        untested(WELL)
        <= {"bench", "demo", "tenant close", "user add", "user password", "backup verify", "restore"} | LATER
    )
    assert untested(SPOILED | REFUSED) <= LATER


LATER: set[str] = set()


def test_good_ends(well: FreshDatabase, tmp_path: Path) -> None:
    assert codes(WELL, well, tmp_path) == WELL


def test_ends_with_a_finding(spoiled: FreshDatabase, tmp_path: Path) -> None:
    assert codes(SPOILED, spoiled, tmp_path) == SPOILED


def test_ends_with_a_refusal(well: FreshDatabase, tmp_path: Path) -> None:
    assert codes(REFUSED, well, tmp_path) == REFUSED


LINES = [
    *[pytest.param(words, code, True, id=words) for words, code in list(SPOILED.items())[:2]],
    *[
        pytest.param(words, code, words in SPOILED, id=words, marks=pytest.mark.slow)
        for words, code in [*list(SPOILED.items())[2:], *REFUSED.items()]
    ],
]


@pytest.mark.parametrize(("words", "code", "is_spoiled"), LINES)
def test_the_program_itself(
    well: FreshDatabase, spoiled: FreshDatabase, tmp_path: Path, words: str, code: int, is_spoiled: bool
) -> None:
    done = subprocess.run(
        [INSTALLED, *words.split()], cwd=tmp_path, env=settings(spoiled if is_spoiled else well, tmp_path),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_the_command_is_loaded_prints_no_traceback(tmp_path: Path) -> None:
    """As in the first half second: here the first library that is imported is interrupted."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "opsboard", "--help"],
        env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
