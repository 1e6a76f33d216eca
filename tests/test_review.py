"""bin/check warns when the document about performance is due for review."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def review(document: Path) -> str:
    done = subprocess.run(
        [str(ROOT / ".ci" / "review"), str(document)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Next review: 2020-01-31. And so on.", "was to be reviewed by 2020-01-31"),
        ("Next review: 2999-01-31.", ""),
        ("Next review: soon.", "has no line"),
    ],
)
def test_a_review_that_is_due_is_a_warning(tmp_path: Path, line: str, said: str) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"# Performance\n\n{line}\n")
    warning = review(document)
    assert said in warning and bool(said) == bool(warning)


def test_the_document_has_a_date_and_the_check_looks_at_it() -> None:
    assert "has no line" not in review(ROOT / "docs" / "performance.md")
    assert ".ci/review docs/performance.md" in (ROOT / "bin" / "check").read_text()
