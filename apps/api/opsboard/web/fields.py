"""`fields=`: these members of an answer, or of each item of a list, and no others; nothing is made for the rest."""

from __future__ import annotations

from dataclasses import replace
from types import new_class
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, field_validator

from opsboard.cache.body import Body
from opsboard.db.queries import Query
from opsboard.web.arguments import SPLIT, Arguments, Text
from opsboard.web.document import document


def show_fields(schema: dict[str, Any], model: type) -> None:
    """Name the members there are in the OpenAPI document."""
    if query := getattr(model, "query", None):
        fields = schema["properties"]["fields"]
        fields.pop("anyOf", None)
        fields.pop("default", None)
        fields |= {"type": "array", "items": {"type": "string", "enum": list(query.members)}}


class Fields(Arguments):
    """Selects members of a query's result; a subclass names the query."""

    model_config = ConfigDict(json_schema_extra=show_fields)

    query: ClassVar[Query]

    fields: Annotated[
        tuple[Text, ...] | None,
        SPLIT,
        Field(description="Only these members (of each item of a list), separated by commas."),
    ] = None

    def __init_subclass__(cls, query: Query | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if query is not None:
            cls.query = query

    @field_validator("fields")
    @classmethod
    def known_fields(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        if unknown := set(value) - cls.query.members.keys():
            names = ", ".join(sorted(unknown))[:200]
            raise ValueError(f"has unknown names ({names}); allowed are {', '.join(cls.query.members)}")
        return tuple(dict.fromkeys(value))


class Detail(Fields):
    """The arguments of a view that answers with one thing."""

    def document(self, **parameters: Any) -> Body:
        """The answer for the caller, with the members that are asked for; 404 when there is none."""
        return document(replace(self.query, sql=self.query.showing(self.fields)), **parameters)


def detail(query: Query) -> type[Detail]:
    """The arguments of the view that answers with this query."""
    return new_class(f"Detail_{query.name.replace('.', '_')}", (Detail,), {"query": query})
