"""The version is shown by health, the command line, the page and the wheel's name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsboard import __version__
from opsboard.cli import opsboard
from opsboard.observability import build
from tests.application import Application

ROOT = Path(__file__).parents[2]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package that was built from a commit."""
    (tmp_path / "commit.txt").write_text("0123456789ab\n")
    monkeypatch.setattr(build, "files", lambda _: tmp_path)
    monkeypatch.setattr(build, "commit", build.commit.__wrapped__)


def test_a_checkout_tells_the_commit_it_is_at() -> None:
    head = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    if head.returncode:
        pytest.skip("this is no checkout of git")
    assert (build.commit() or "").removesuffix("-dirty") == head.stdout.strip()


def test_what_was_built_tells_the_commit_it_was_built_from(built: None) -> None:
    assert build.commit() == "0123456789ab"
    assert build.version_and_commit() == f"{__version__} (0123456789ab)"


def test_health_the_command_and_the_page_tell_it(app: Application) -> None:
    health = app.client(None).get("/api/health").json or {}
    assert (health["version"], health["commit"]) == (__version__, build.commit())
    told = CliRunner().invoke(opsboard, ["--version"])
    assert told.output == f"opsboard, version {build.version_and_commit()}\n"
    page = app.client(None).get("/").get_data(as_text=True)
    assert f'<footer class="version">Opsboard {build.version_and_commit()}</footer>' in page
