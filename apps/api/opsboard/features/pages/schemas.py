"""JSON Schema as rows of a table: name, type, allowed values, default, meaning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

DEEPEST = 4  # levels of members within members


@dataclass(frozen=True)
class Row:
    """One parameter or member. `depth` is how far it lies inside another."""

    name: str
    type: str
    allowed: str
    default: str
    description: str
    required: bool = False
    place: str = ""
    depth: int = 0


class Schemas:
    """The named schemas of a document."""

    def __init__(self, named: dict[str, Schema]) -> None:
        self._named = named

    def parameter(self, parameter: dict[str, Any]) -> Row:
        row = self._row(parameter["name"], parameter["schema"], parameter["required"], 0, True)
        return Row(**{**vars(row), "place": parameter["in"]})

    def rows(self, schema: Schema, depth: int = 0, with_defaults: bool = True) -> list[Row]:
        """A row for each member, the members of members below it."""
        found = self.resolve(schema)
        if found.get("type") == "array":
            return self.rows(found["items"], depth, with_defaults)
        rows: list[Row] = []
        for name, member in found.get("properties", {}).items():
            rows.append(self._row(name, member, name in found.get("required", ()), depth, with_defaults))
            if depth < DEEPEST:
                rows += self.rows(member, depth + 1, with_defaults)
        return rows

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, behind references and behind `or null`."""
        if "$ref" in schema:
            return self.resolve(self._named[schema["$ref"].rpartition("/")[2]])
        choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
        if len(choices) == 1 or is_selection(choices):
            return {**self.resolve(choices[0]), **{k: v for k, v in schema.items() if k != "anyOf"}}
        return schema

    def _row(self, name: str, schema: Schema, required: bool, depth: int, with_defaults: bool) -> Row:
        found = self.resolve(schema)
        default = found.get("default")
        return Row(
            name,
            self._type(found) + (" or null" if is_nullable(schema) else ""),
            self._allowed(found),
            json.dumps(default) if with_defaults and default not in (None, "") else "",
            found.get("description", "") if "$ref" not in schema else "",
            required,
            depth=depth,
        )

    def _type(self, schema: Schema) -> str:
        kind = schema.get("type", "any")
        if kind == "array":
            return f"list of {self._type(self.resolve(schema['items']))}"
        if isinstance(kind, list):
            return " or ".join(kind)
        return str(schema.get("format", kind))

    def _allowed(self, schema: Schema) -> str:
        if schema.get("type") == "array":
            return self._allowed(self.resolve(schema["items"]))
        if "const" in schema:
            return str(schema["const"])
        if "enum" in schema:
            return ", ".join(map(str, schema["enum"]))
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None or high is not None:
            return f"{low if low is not None else ''} … {high if high is not None and high < 2**31 else ''}".strip()
        return f"up to {schema['maxLength']:,} characters" if "maxLength" in schema else ""


def filled(rows: list[Row]) -> set[str]:
    """The columns in which at least one row says something."""
    return {name for row in rows for name, value in vars(row).items() if value}


def is_nullable(schema: Schema) -> bool:
    return any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))


def is_selection(choices: list[Schema]) -> bool:
    """Return True if it is an answer or, with `fields`, some of its members: the page shows all."""
    first, *others = [choice.get("$ref", "") for choice in choices] or [""]
    return bool(first) and others == [f"{first}Selection"]
