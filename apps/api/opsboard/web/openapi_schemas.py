"""The schemas of the OpenAPI document: short names that every generator can use, and answers to `fields=`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"


def rename_schemas(document: dict[str, Any]) -> None:
    """Give each schema one name of letters and digits.

    APIFlask names a model within another `Jobs.CustomerName`, once for each of the others. Generators leave such
    names out, or make a class of each. Equal ones become one schema, `CustomerName`.
    """
    schemas: dict[str, Schema] = document["components"]["schemas"]
    names = choose_names(schemas)
    document["components"]["schemas"] = {
        # Generators take the title for the name of the class.
        names[old]: schema | {"title": names[old]}
        for old, schema in schemas.items()
    }
    for holder, member, target in references(document):
        holder[member] = PREFIX + names[target]


def choose_names(schemas: dict[str, Schema]) -> dict[str, str]:
    """The new name of each: its last part, or all parts together where another schema has that name.

    The last part goes first, because generators call the type of a member `Settings.business` SettingsBusiness.
    """
    names = {name: name.rpartition(".")[2] for name in schemas}
    while True:
        shapes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for old, new in names.items():
            shapes[new][shape_of(schemas[old], names)].append(old)
        # One of the shapes may keep the name: that of the schema which always had it.
        longer = {
            old: "Of".join(reversed(old.split(".")))
            for new, found in shapes.items()
            if len(found) > 1
            for olds in found.values()
            if new not in olds
            for old in olds
        }
        if all(names[old] == new for old, new in longer.items()):
            return names
        names |= longer


def shape_of(schema: Schema, names: dict[str, str]) -> str:
    """Return the text that equal schemas share, with the new names of their references."""
    copy: Schema = json.loads(json.dumps(schema))
    for holder, member, target in references(copy):
        holder[member] = names[target]
    return json.dumps(copy, sort_keys=True)


def references(part: Any) -> Iterator[tuple[Any, Any, str]]:
    """Each reference to a schema: the object or list it is in, its place there, and the name it refers to."""
    if not isinstance(part, dict | list):
        return
    for member, value in list(part.items() if isinstance(part, dict) else enumerate(part)):
        if isinstance(value, str) and value.startswith(PREFIX):
            yield part, member, value.removeprefix(PREFIX)
        else:
            yield from references(value)


def allow_selections(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Where `fields` may be sent, describe the answer with some of the members as an alternative to the whole one."""
    if "fields" not in {parameter["name"] for parameter in operation["parameters"]}:
        return
    content = operation["responses"]["200"]["content"].get("application/json")
    if content is None:  # an export
        return
    schemas: dict[str, Schema] = document["components"]["schemas"]
    whole = content["schema"]
    name = whole["$ref"].removeprefix(PREFIX)
    items = schemas[name]["properties"].get("items")
    if items is None:
        selection = select_members(schemas, name)
    else:
        selection = f"{name}Selection"
        item = {"$ref": PREFIX + select_members(schemas, items["items"]["$ref"].removeprefix(PREFIX))}
        properties = schemas[name]["properties"] | {"items": items | {"items": item}}
        schemas[selection] = schemas[name] | {"properties": properties, "title": selection}
    content["schema"] = {"anyOf": [whole, {"$ref": PREFIX + selection}]}


def select_members(schemas: dict[str, Schema], name: str) -> str:
    """Add the schema of which only those members are there that `fields` names, and return its name."""
    selection = f"{name}Selection"
    some = {member: value for member, value in schemas[name].items() if member != "required"}
    schemas[selection] = some | {"title": selection, "description": "The members that `fields` names."}
    return selection


def add_examples(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Show a body that is accepted: what is required, or one member that is worth changing."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        schemas: dict[str, Schema] = document["components"]["schemas"]
        content["example"] = example_of(lambda name: schemas[name], content["schema"])


SAMPLES = {
    "email": "admin@north.example",
    "password": "opsboard-demo",
    "title": "Bracket, 40 pieces",
    "name": "Mill 7",
}
Named = Callable[[str], Schema]


def example_of(named: Named, body: Schema) -> Any:
    """A value that the schema accepts: its own example, if it has one."""
    schema = resolve(named, body)
    if "examples" in schema:
        return schema["examples"][0]
    members: dict[str, Schema] = schema["properties"]
    names: list[str] = schema.get("required", []) or [
        next((name for name, member in members.items() if "enum" in member), next(iter(members)))
    ]
    return {name: sample(named, name, members[name]) for name in names}


def resolve(named: Named, schema: Schema) -> Schema:
    """The schema itself, behind references and behind `or null`; the first of several."""
    if "$ref" in schema:
        return resolve(named, named(schema["$ref"].removeprefix(PREFIX)))
    alternatives: list[Schema] = schema.get("anyOf", []) or schema.get("oneOf", [])
    choices = [choice for choice in alternatives if choice.get("type") != "null"]
    if choices:
        rest = {member: value for member, value in schema.items() if member not in ("anyOf", "oneOf")}
        return {**resolve(named, choices[0]), **rest}
    return schema


def sample(named: Named, name: str, member: Schema) -> Any:
    """A value of one member."""
    schema = resolve(named, member)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][min(1, len(schema["enum"]) - 1)]
    if schema.get("type") == "array":
        return [sample(named, name, schema["items"])]
    if "properties" in schema:
        return example_of(named, schema)
    if schema.get("format") == "date-time":
        return "2026-11-02T09:30:00Z"
    return SAMPLES.get(
        name, {"integer": 1, "number": 1, "boolean": True, "object": {}}.get(schema["type"], "text")
    )
