"""The layers of the house: each package imports only those below it, and a feature never another feature."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import opsboard

ROOT = Path(opsboard.__file__).parent
LAYERS = [
    {"errors", "settings", "config", "text"},
    {"observability"},
    {"db"},
    {"auth", "cache", "fleet", "secret"},
    {"web"},
    {"features", "imports", "demo", "tenants"},
    {"application"},
    {"__init__"},
    {"cli", "commands", "bench"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Same level, and yet one may use the other.
ALLOWED = {
    ("web", "web"),
    ("observability", "observability"),
    ("db", "db"),
    ("config", "errors"),
    ("config", "settings"),
    ("bench", "commands"),
}
ONLY_HERE = {"flask": {"web", "features", "application", "bench"}, "psycopg2": {"db"}}
# Commands that talk to the database with COPY, EXPLAIN or their own connection.
OWN_CONNECTIONS = {"imports", "demo", "tenants", "bench", "commands"}


def imports() -> Iterator[tuple[str, str, Path]]:
    """(package, imported module, file) of every import, also those inside functions."""
    for file in ROOT.rglob("*.py"):
        package = file.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
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


def test_no_feature_imports_another() -> None:
    wrong = []
    for package, module, file in imports():
        words = module.split(".")
        if package == "features" and words[:2] == ["opsboard", "features"] and len(words) > 2:
            area = file.relative_to(ROOT).parts[1]
            if words[2] != area:
                wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []


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
