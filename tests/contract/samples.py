"""Values that a declared model accepts: the body of a write, the filters of a list, the parameters of their queries."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from opsboard.db.queries import Query
from opsboard.features import ALL
from opsboard.web.area import Area
from opsboard.web.arguments import Patch

FORMATS = {"date": "2026-11-01", "date-time": "2026-11-01T00:00:00Z", "email": "kim@north.example"}
PLAIN = (str, int, float, bool, dt.date, type(None))


def sample(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """A value that a JSON schema accepts; one with a pattern needs `examples`."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = {**next(each for each in schema["anyOf"] if each.get("type") != "null"), **schema}
    for given in ("examples", "enum"):
        if given in schema:
            return schema[given][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case "array":
            return [sample(schema["items"], definitions)]
        case "object":
            return {
                name: sample(schema["properties"][name], definitions) for name in schema.get("required", ())
            }
    return FORMATS.get(schema.get("format", ""), "A value")


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """A body with what is required; of a change, with the member that is most likely to change something."""
    schema = schema_of(model)
    definitions = schema.get("$defs", {})
    if issubclass(model, Patch):
        values = {name: sample(each, definitions) for name, each in schema["properties"].items()}
        free = [name for name, value in values.items() if value == "A value"]
        numbers = [name for name, value in values.items() if value == 1 and not name.endswith("_id")]
        name = (free + numbers + list(values))[0]
        return {name: values[name]}
    found: dict[str, Any] = sample(schema, definitions)
    return found


def body_model(view: Any) -> type[BaseModel] | None:
    """The model of the body that a view declares."""
    found: type[BaseModel] | None = getattr(view, "_spec", {}).get("body")
    return found


@cache
def areas() -> dict[str, Area]:
    return {name: import_module(f"opsboard.features.{name}.routes").area for name in ALL}


def ids_of(query: Query) -> dict[str, int]:
    """A value for each parameter that is called like an id."""
    return {parameter: 1 for parameter in query.parameters if parameter.endswith("_id")}


def parameters_of(query: Query) -> dict[str, Any]:
    """Values for a query: of a list, its fixed filters and the ids in its address; of a write, a body's members."""
    area, _, name = query.name.partition(".")
    found: dict[str, Any] = {}
    if area not in ALL:
        return found
    if name in areas()[area].lists:
        return always(query)
    model = body_model(vars(import_module(f"opsboard.features.{area}.routes")).get(name))
    if model is not None and not issubclass(model, Patch):
        body = model.model_validate(body_of(model)).model_dump()
        found |= {member: value for member, value in body.items() if isinstance(value, PLAIN)}
    return found


def always(query: Query) -> dict[str, Any]:
    """The filters that a list is never asked without: fixed ones, and the ids in its address."""
    area, _, name = query.name.partition(".")
    declared = areas()[area].lists.get(name) if area in ALL else None
    if declared is None:
        return {}
    return {argument: 1 for argument in argument_names(declared.path)} | dict(declared.always)


def argument_names(rule: str) -> list[str]:
    return [part[4:-1] for part in rule.split("/") if part.startswith("<id:")]


def filters_of(query: Query) -> dict[str, Any]:
    """A value for each filter of a list."""
    area, _, name = query.name.partition(".")
    declared = areas()[area].lists[name]
    schema = schema_of(declared.arguments)
    found = {}
    for field, info in declared.arguments.model_fields.items():
        value = sample(schema["properties"][info.alias or field], schema.get("$defs", {}))
        if field.endswith("_from") or field.endswith("_to"):
            value = "2020-01-01" if field.endswith("_from") else "2040-01-01"
        found[field] = value
    # Filters that a view sets itself, from others.
    own = {name: 1 if name.endswith("_id") else "true" for name in query.filters}
    return own | found | always(query)
