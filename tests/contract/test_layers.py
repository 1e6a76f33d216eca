"""The layers of the house: each package imports only those below it, and a feature never another feature."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import opsboard
from opsboard.features import ALL
from tests.contract.tables import TABLES

ROOT = Path(opsboard.__file__).parent
LAYERS = [
    {"errors", "settings", "config", "text", "staleness"},
    {"observability"},
    {"db"},
    {"auth", "cache", "fleet", "secret"},
    {"web"},
    {"features", "imports", "demo", "tenants"},
    {"application"},
    {"__init__"},
    {"cli", "commands"},
    {"start"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Same level, and yet one may use the other.
ALLOWED = {
    ("web", "web"),
    ("observability", "observability"),
    ("db", "db"),
    ("config", "errors"),
    ("config", "settings"),
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
# Names of areas that are also a member, the scopes of API tokens, and a package.
ORDINARY_WORDS = {"problems", "tenant", "health", "metrics", "imports", "wall"}
NAMING = ["jobs", "jobs.list_jobs", "see auth.login, which", "jobs_customer_fkey"]
NOT_NAMING = ["jobs and steps", "the jobs. They", "opsboard.features.jobs", "idempotency_key", "/api/jobs"]
ONLY_HERE = {"flask": {"web", "features", "application"}, "psycopg2": {"db"}}
# Commands that talk to the database with COPY, EXPLAIN or their own connection.
OWN_CONNECTIONS = {"imports", "demo", "tenants", "commands"}


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports() -> Iterator[tuple[str, str, Path]]:
    """(package, imported module, file) of every import, also those inside functions."""
    for file in ROOT.rglob("*.py"):
        package = file.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield package, name.name, file
            elif isinstance(node, ast.ImportFrom) and node.module:
                if node.module == "opsboard":
                    for name in node.names:
                        yield package, f"opsboard.{name.name}", file
                else:
                    yield package, node.module, file


def test_every_package_has_a_layer() -> None:
    found = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found <= LEVEL.keys(), f"give {found - LEVEL.keys()} a layer"


def test_each_layer_imports_only_lower_ones() -> None:
    wrong = []
    for package, module, file in imports():
        if not module.startswith("opsboard."):
            continue
        other = module.split(".")[1]
        if other == package or (package, other) in ALLOWED or other == "__version__":
            continue
        if LEVEL.get(other, -1) >= LEVEL[package]:
            wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_the_service_does_not_import_its_benchmark() -> None:
    assert [str(file) for _, module, file in imports() if module.split(".")[0] == "opsboard_bench"] == []


def test_no_feature_imports_another() -> None:
    wrong = []
    for package, module, file in imports():
        words = module.split(".")
        if package == "features" and words[:2] == ["opsboard", "features"] and len(words) > 2:
            area = file.relative_to(ROOT).parts[1]
            if words[2] != area and words[2] in ALL:
                wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []


def names_of_areas(file: Path) -> Iterator[str]:
    """The strings of a module that name an area, one of its views or queries, or a constraint of one of its tables."""
    areas, tables = "|".join(ALL), "|".join(TABLES)
    # `settings.py` is the name of a file.
    name = re.compile(
        rf"({areas})|.*(?<![\w./])({areas})\.(?!py\b)[a-z]\w*\b.*|({tables})_\w+_(fkey|key|check)", re.DOTALL
    )
    tree = parsed(file)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if getattr(node, "value", None) in ORDINARY_WORDS:
            continue
        if isinstance(node, ast.Constant) and node not in docstrings and name.fullmatch(str(node.value)):
            yield f"{node.lineno}: {node.value}"


def test_no_lower_layer_names_an_area_in_a_string() -> None:
    wrong = []
    for package in set[str]().union(*LAYERS[: LEVEL["features"]], LAYERS[LEVEL["application"]]):
        module = ROOT / f"{package}.py"
        for file in [module] if module.exists() else (ROOT / package).rglob("*.py"):
            wrong += [f"{file.relative_to(ROOT)}:{found}" for found in names_of_areas(file)]
    assert wrong == []


def test_an_area_in_a_string_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    lines = ['"""About jobs.list_jobs."""', *(f"x = {name!r}" for name in NAMING + NOT_NAMING)]
    module.write_text("\n".join(lines))
    assert [found.partition(": ")[2] for found in names_of_areas(module)] == NAMING


def test_flask_and_psycopg2_stay_where_they_belong() -> None:
    wrong = []
    for package, module, file in imports():
        home = ONLY_HERE.get(module.split(".")[0])
        if (
            home
            and package not in home
            and not (module.startswith("psycopg2") and package in OWN_CONNECTIONS)
        ):
            wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []
