"""Reads a mapping file and says everything that is wrong with it."""

from __future__ import annotations

import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opsboard.errors import CommandError
from opsboard.imports.mapping import ImportMapping
from opsboard.imports.mapping_checks import faults_of


class MappingError(CommandError):
    """The mapping cannot be used; `faults` has a line for each reason."""

    def __init__(self, where: str, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(f"{where}: {fault}" for fault in faults))


def load_mapping(path: Path) -> ImportMapping:
    """Read a mapping and check all of it. Raises MappingError with every fault and its place in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MappingError(str(path), ["there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(str(path), [f"cannot be read: {error}"]) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, where: str = "mapping") -> ImportMapping:
    """The mapping a TOML text says; `where` begins each line of what is wrong with it."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(where, [f"is not TOML: {error}"]) from error
    return mapping_of(tree, where)


def mapping_of(tree: Any, where: str = "mapping") -> ImportMapping:
    """The mapping that a tree of tables says, as TOML and JSON give one."""
    try:
        mapping = ImportMapping.model_validate(composed(tree))
    except ValidationError as error:
        raise MappingError(where, [_in_words(fault) for fault in error.errors()]) from error
    if faults := faults_of(mapping):
        raise MappingError(where, faults)
    return mapping


def composed(node: Any, key: str = "") -> Any:
    """The same with composed characters (NFC), as the values of the files are; paths are what the file system has."""
    if isinstance(node, str):
        return node if key == "path" else unicodedata.normalize("NFC", node)
    if isinstance(node, list):
        return [composed(item) for item in node]
    if isinstance(node, dict):
        return {composed(name): composed(item, name) for name, item in node.items()}
    return node


def _in_words(fault: Any) -> str:
    place = ".".join(str(step) for step in fault["loc"] if step != "literal['']")
    reason = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        reason = "is not a key of a mapping"
    return f"{place}: {reason}"
