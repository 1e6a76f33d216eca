"""A TypeScript client generated from the OpenAPI document compiles, finds mistakes, and works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.application import Application
from tests.pages.browser import Site
from tests.seed import PASSWORD

SOURCES = Path(__file__).parent / "typescript"
IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# Names a type or a function of TypeScript cannot have.
RESERVED = re.findall(
    r"\w+",
    "any as async await boolean break case catch class const continue debugger default delete do else enum "
    "export extends false finally for function if implements import in instanceof interface let never new null "
    "number object package private protected public return static string super switch symbol this throw true "
    "try type typeof undefined unknown var void while with yield",
)
COMPILE = ("tsc", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext")


@pytest.fixture(scope="module")
def document(app: Application) -> Any:
    return app.flask.test_client().get("/api/openapi.json").json


def operation_ids(document: Any) -> list[str]:
    return [operation["operationId"] for item in document["paths"].values() for operation in item.values()]


def test_names_are_identifiers_and_no_two_operations_share_one(document: Any) -> None:
    operations, schemas = operation_ids(document), list(document["components"]["schemas"])
    assert len(operations) > 150 and len(schemas) > 100
    unfit = [name for name in operations + schemas if not IDENTIFIER.fullmatch(name) or name in RESERVED]
    assert unfit == []
    # A name that differs from another in case only is one file, or one type, for some generators.
    for names in (operations, schemas):
        counted = Counter(name.lower() for name in names)
        assert [name for name, count in counted.items() if count > 1] == []


@pytest.fixture(scope="module")
def generated(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the installed packages, the generated types and the programs."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt-get install nodejs npm)")
    folder = tmp_path_factory.mktemp("typescript")
    for file in SOURCES.iterdir():
        shutil.copy(file, folder)
    (folder / "openapi.json").write_text(json.dumps(document))
    run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    # A member with a default may be left out of a body.
    run(
        folder,
        *local("openapi-typescript"),
        "openapi.json",
        "-o",
        "schema.ts",
        "--default-non-nullable=false",
    )
    yield folder
    shutil.rmtree(folder)


def local(program: str) -> tuple[str, ...]:
    """Return the command of a program that the lock file pins; it is never fetched."""
    return ("npm", "exec", "--offline", "--no", "--", program)


def run(folder: Path, *command: str, status: int = 0) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, (command, done.stdout + done.stderr)
    return done.stdout


@pytest.mark.slow
def test_every_operation_and_schema_has_a_type(document: Any, generated: Path) -> None:
    text = (generated / "schema.ts").read_text()
    schemas = text[text.index("\n    schemas: {") : text.index("\n    responses: ")]
    assert set(re.findall(r"^ {8}(\w+): ", schemas, re.MULTILINE)) == set(document["components"]["schemas"])
    operations = text[text.index("export interface operations {") :]
    assert set(re.findall(r"^ {4}(\w+): \{", operations, re.MULTILINE)) == set(operation_ids(document))


@pytest.mark.slow
def test_a_program_compiles_and_runs_against_the_application(own_app: Application, generated: Path) -> None:
    run(generated, *local(COMPILE[0]), *COMPILE[1:], "program.ts")
    site = Site(own_app.flask)
    try:
        output = run(generated, "node", "program.js", site.url, own_app.alpha.email("admin"), PASSWORD)
    finally:
        site.go_away()
    assert json.loads(output) == {
        "title": "A job of the client",
        "priority": "low",
        "first": True,
        "items": 3,
        "counted": True,
        "settings": True,
        "status": 404,
        "code": "not_found",
    }


@pytest.mark.slow
def test_the_compiler_finds_every_mistake(generated: Path) -> None:
    output = run(generated, *local(COMPILE[0]), *COMPILE[1:], "--noEmit", "wrong.ts", status=2)
    lines = (generated / "wrong.ts").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("// wrong")}
    assert {int(number) for number in re.findall(r"^wrong\.ts\((\d+),", output, re.MULTILINE)} == wrong, (
        output
    )
    assert "schema.ts" not in output
