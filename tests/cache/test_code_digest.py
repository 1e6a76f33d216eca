"""The digest of the code that makes bodies: it changes with that code, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsboard.cache.code_digest import MAKE_NO_BODY, PACKAGE, code_digest


def package(folder: Path, *changed: str) -> Path:
    for name in ("features/jobs/queries.sql", "web/document.py", "demo/jobs.sql", "page.css"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("changed" if name in changed else "first")
    return folder


@pytest.mark.parametrize("name", ["features/jobs/queries.sql", "web/document.py"])
def test_code_that_makes_bodies_changes_it(tmp_path: Path, name: str) -> None:
    before = code_digest(package(tmp_path))
    assert code_digest(package(tmp_path, name)) != before


@pytest.mark.parametrize("name", ["demo/jobs.sql", "page.css"])
def test_demo_and_pages_do_not(tmp_path: Path, name: str) -> None:
    before = code_digest(package(tmp_path))
    assert code_digest(package(tmp_path, name)) == before


def test_what_is_left_out_is_there() -> None:
    assert {name for name in MAKE_NO_BODY if (PACKAGE / name / "__init__.py").exists()} >= {"demo", "imports"}
