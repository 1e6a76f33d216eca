"""The types of the page's JavaScript, which stand in JSDoc comments, are checked by bin/check."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bare_machine import ROOT

CHECK = ROOT / "bin" / "check-js"
TOOLS = ROOT / "tools" / "js"
STATIC = ROOT / "apps/api/opsboard/features/pages/static"


def test_bin_check_looks_at_every_file() -> None:
    assert "\nbin/check-js\n" in (ROOT / "bin" / "check").read_text()
    (included,) = json.loads((TOOLS / "tsconfig.json").read_text())["include"]
    assert (TOOLS / included).parent.resolve() == STATIC and included.endswith("/*.js")
    assert not [file for file in STATIC.glob("*.js") if "ts-nocheck" in file.read_text()]


def test_what_is_installed_is_pinned_by_its_integrity() -> None:
    packages = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    wanted = packages.pop("")["devDependencies"]
    assert wanted == json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    assert packages and all(one["integrity"].startswith("sha512-") for one in packages.values())


@pytest.mark.parametrize("present", [(), ("node",)])
def test_without_npm_it_says_so_in_one_line(tmp_path: Path, present: tuple[str, ...]) -> None:
    for program in ("dirname", "cmp", "cp", *present):
        found = shutil.which(program) or shutil.which("true")
        (tmp_path / program).symlink_to(found or "/bin/true")
    done = subprocess.run(
        ["/bin/sh", CHECK], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    missing = "npm" if present else "node"
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        f"bin/check-js: {missing} is not installed (Debian, Ubuntu: apt install nodejs npm); "
        "the page's JavaScript and CSS are not checked"
    ]


@pytest.mark.slow
def test_a_wrong_type_is_found(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed (Debian: apt-get install nodejs npm)")
    files = tmp_path / "static"
    shutil.copytree(STATIC, files)
    settings = json.loads((TOOLS / "tsconfig.json").read_text()) | {"include": ["static/*.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CHECK, tmp_path], env=dict(os.environ), capture_output=True, text=True, check=False
        )

    first = check()
    if "are not checked" in first.stderr:
        pytest.skip(first.stderr)
    assert first.returncode == 0, first.stdout
    (files / "wrong.js").write_text("const a = [1].forEach((one) => one + 1);\nexport default a;\n")
    linted = check()
    assert linted.returncode != 0 and "useIterableCallbackReturn" in linted.stdout + linted.stderr, linted
    (files / "wrong.js").write_text(
        'import { control } from "./fields.js";\ncontrol({ name: 1, label: "x" }, () => {});\n'
    )
    second = check()
    assert second.returncode != 0 and "wrong.js(2" in second.stdout, second.stdout
