"""ARCHITECTURE.md names files that exist, counts them right, and a repeated hit executes no more of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import opsboard
from tests.application import Application
from tests.web.ways import bearer

ROOT = Path(opsboard.__file__).parent
DOCUMENT = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
LIMITS = {"cached GET": 7, "list, from its declaration": 8}


def rows(section: str) -> list[list[str]]:
    text = DOCUMENT.partition(f"## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_each_path_names_files_that_exist_and_counts_them() -> None:
    paths = {
        path: (re.findall(r"`([^`]+)`", files), int(number)) for path, files, number in rows("Five paths")
    }
    assert len(paths) == 5
    for path, (files, number) in paths.items():
        assert [name for name in files if not (ROOT / name).is_file()] == [], path
        assert len(files) == number <= LIMITS.get(path, 12), path


def test_the_glossary_has_at_most_ten_terms() -> None:
    assert 0 < len(rows("Glossary")) <= 10


def test_a_repeated_hit_executes_code_of_at_most_seven_files(own_app: Application) -> None:
    client, headers = own_app.flask.test_client(), bearer(own_app.token())
    for _ in range(3):
        assert client.get("/api/dashboard/stats", headers=headers).status_code == 200
    files = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            files.add(str(Path(frame.f_code.co_filename).relative_to(ROOT)))

    sys.setprofile(note)
    try:
        answer = client.get("/api/dashboard/stats", headers=headers)
    finally:
        sys.setprofile(None)
    assert answer.headers["X-Cache"] == "HIT"
    assert "web/fast_path.py" in files
    assert len(files) <= LIMITS["cached GET"], sorted(files)
