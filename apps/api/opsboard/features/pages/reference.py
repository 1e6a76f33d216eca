"""The OpenAPI document, flattened for people: per tag its operations, each with what it takes and gives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from opsboard.features.pages.schemas import Row, Schema, Schemas

METHODS = ("get", "post", "put", "patch", "delete")

# The files that stand in an example of a form.
FORM_FILES = {"file": "records.csv", "mapping": "mapping.toml"}


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    rows: list[Row] = field(default_factory=list)

    @property
    def is_problem(self) -> bool:
        return self.status >= "400"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    anchor: str
    summary: str
    is_open: bool
    parameters: list[Row]
    body: list[Row]
    answers: list[Answer]
    example: str
    """The arguments of the curl line behind the address of the service."""


@dataclass(frozen=True)
class Group:
    name: str
    anchor: str
    operations: list[Operation]


@dataclass(frozen=True)
class Reference:
    title: str
    version: str
    description: str
    groups: list[Group]
    problem: list[Row]


def read_reference(document: dict[str, Any]) -> Reference:
    """Everything the pages show, in the order of the document's tags, addresses in alphabetical order."""
    schemas = Schemas(document["components"]["schemas"])
    by_tag: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path in sorted(document["paths"]):
        for method in METHODS:
            if operation := document["paths"][path].get(method):
                by_tag[operation["tags"][0]].append(read_operation(schemas, method, path, operation))
    info = document["info"]
    return Reference(
        info["title"],
        info["version"],
        info["description"],
        [Group(name, slug(name), operations) for name, operations in by_tag.items()],
        schemas.rows({"$ref": "#/components/schemas/Problem"}),
    )


def read_operation(schemas: Schemas, method: str, path: str, operation: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body: Schema | None = content.get("application/json", {}).get("schema")
    is_open = not operation["security"]
    return Operation(
        method.upper(),
        path,
        slug(f"{method} {path}"),
        operation.get("summary", ""),
        is_open,
        [schemas.parameter(parameter) for parameter in operation["parameters"]],
        # A default of a change says nothing: what is not sent stays as it is.
        schemas.rows(body, with_defaults=method != "patch") if body else [],
        [read_answer(schemas, status, answer) for status, answer in sorted(operation["responses"].items())],
        curl(method, path, is_open, content.get("application/json", {}).get("example"), form_of(content)),
    )


def read_answer(schemas: Schemas, status: str, answer: dict[str, Any]) -> Answer:
    content = answer.get("content", {}).get("application/json", {})
    rows = schemas.rows(content["schema"]) if content.get("schema") else []
    return Answer(status, answer["description"], rows)


def form_of(content: dict[str, Any]) -> list[str]:
    """The parts of a form with files."""
    return list(content.get("multipart/form-data", {}).get("schema", {}).get("properties", {}))


def curl(method: str, path: str, is_open: bool, body: Any, form: list[str]) -> str:
    """Return the arguments of `curl -s`, with {host} for the address of the service."""
    words = [] if method == "get" or form else [f"-X {method.upper()}"]
    if not is_open:
        words.append('-H "Authorization: Bearer $TOKEN"')
    if body is not None:
        words.append("-H 'Content-Type: application/json'")
        words.append(f"-d '{json.dumps(body)}'")
    words += [f"-F {part}=@{FORM_FILES[part]}" for part in form]
    return " ".join([*words, "{host}" + re.sub(r"\{\w+\}", "1", path)])


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
