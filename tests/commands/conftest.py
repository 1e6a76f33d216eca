"""Commands as an operator runs them, with no settings of this machine around."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsboard.cli import opsboard
from opsboard.settings import SETTINGS
from tests.application import SECRET

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command with these settings, in an empty folder."""
    names = {
        part for setting in SETTINGS for name in (setting.name, *setting.aliases) for part in name.split("+")
    }
    for name in names & os.environ.keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, typed: str | None = None, **settings: str) -> Result:
        env = {"OPSBOARD_DATA": str(tmp_path / "data"), **settings}
        return CliRunner().invoke(opsboard, words, input=typed, env=env)

    return run


@pytest.fixture
def production() -> dict[str, str]:
    return {"OPSBOARD_ENV": "production", "SECRET_KEY": SECRET}
