"""Lists: paging by number or cursor, sorts and filters by allow list; a new list is a query and a route."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, field_validator

from opsboard.cache.body import Body
from opsboard.cache.key import canonical
from opsboard.db.list_statement import Page, Position
from opsboard.db.queries import Query
from opsboard.errors import InvalidInput
from opsboard.web.arguments import Text
from opsboard.web.cursors import Cursor, read_cursor, write_cursor
from opsboard.web.fields import Fields, show_fields
from opsboard.web.services import identity, services
from opsboard.web.totals import page_of

PAGING = ("page", "page_size", "sort", "cursor", "fields")
LAST_PAGE = 1_000_000


def show_choices(schema: dict[str, Any], model: type) -> None:
    """Name the allowed sorts and fields in the OpenAPI document."""
    if query := getattr(model, "query", None):
        sort = schema["properties"]["sort"]
        sort.pop("anyOf", None)
        sort |= {"type": "string", "enum": [sign + name for name in query.sorts for sign in ("", "-")]}
        sort["default"] = model.default_sort  # type: ignore[attr-defined]
        show_fields(schema, model)


class ListArguments(Fields):
    """The paging arguments of a list; a subclass adds its filters and names its query and default sort.

    class ListJobs(ListArguments, query=sql.list_jobs, default_sort="-created_at"): ...
    """

    model_config = ConfigDict(json_schema_extra=show_choices)

    default_sort: ClassVar[str]
    # Arguments of a subclass that are no filters.
    beside_filters: ClassVar[frozenset[str]] = frozenset()

    page: Annotated[int, Field(ge=1, le=LAST_PAGE, description="Page number, from 1.")] = 1
    page_size: Annotated[int, Field(ge=1, le=100, description="Items on a page.")] = 50
    sort: Annotated[str | None, Field(description="The sort; with - in front: descending.")] = None
    cursor: Annotated[
        Text | None,
        Field(
            max_length=2000,
            description="next_cursor or previous_cursor of an earlier answer; empty: the first page, not counted.",
        ),
    ] = None

    def __init_subclass__(cls, query: Query | None = None, default_sort: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(query=query, **kwargs)
        if query is not None:
            cls.default_sort = default_sort

    @field_validator("sort")
    @classmethod
    def known_sort(cls, value: str | None) -> str | None:
        if value is not None and value.removeprefix("-") not in cls.query.sorts:
            raise ValueError(f"must be one of {', '.join(cls.query.sorts)}, with or without - in front")
        return value

    def filters(self) -> dict[str, Any]:
        """The filters that were sent, by the names of the query's parameters."""
        return self.model_dump(exclude=set(PAGING) | self.beside_filters, exclude_none=True)


class ArchivableList(ListArguments):
    """A list of records that can be archived; its query has a filter `archived`."""

    archived: Annotated[bool, Field(description="Only what is archived, which is left out otherwise.")] = (
        False
    )

    def filters(self) -> dict[str, Any]:
        return {name: value for name, value in super().filters().items() if name != "archived" or value}


def list_page(arguments: ListArguments, filters: dict[str, Any]) -> Body:
    """One page of a list in its envelope.

    By number: items, total, page, page_size, total_pages, has_next, has_previous. By cursor: items, page_size,
    has_next, has_previous. Both with next_cursor and previous_cursor, null at the ends.
    """
    query, who = arguments.query, identity()
    context = repr((query.name, who.tenant_id, who.user_id, canonical(filters)))
    secret = services().secret
    sort, position = asked_for(arguments, secret, context)
    page = Page(
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        size=arguments.page_size,
        number=arguments.page,
        position=position,
        counted=arguments.cursor is None,
        fields=arguments.fields,
    )
    text, first_key, first_id, last_key, last_id, has_previous, has_next, _, lasts = page_of(
        query, filters, page
    )

    def cursor(key: str | None, row_id: int, backwards: bool, more: bool) -> str:
        there = Position(key, row_id, backwards) if key is not None else None
        # Nothing is left where a cursor led: back goes from where it stood.
        if position is not None and there is None:
            there = position.reversed_at(page.descending)
        if there is None or not more:
            return "null"
        return f'"{write_cursor(secret, context, Cursor(sort, there))}"'

    # The text is finished JSON and stays text: the two cursors, which the database cannot sign, go in at its end.
    ends = (
        f', "next_cursor" : {cursor(last_key, last_id, False, has_next)}, '
        f'"previous_cursor" : {cursor(first_key, first_id, True, has_previous)}}}'
    )
    return Body((text[:-1] + ends).encode(), query.reads, math.inf if lasts is None else lasts)


def asked_for(arguments: ListArguments, secret: str, context: str) -> tuple[str, Position | None]:
    """The sort, and the position when a cursor is given; the cursor knows its sort."""
    if not arguments.cursor:
        return arguments.sort or arguments.default_sort, None
    cursor = read_cursor(secret, context, arguments.cursor, services().config.accepted_secrets)
    if arguments.sort not in (None, cursor.sort):
        raise InvalidInput(fields=[{"field": "sort", "message": f"the cursor belongs to sort={cursor.sort}"}])
    if arguments.page != 1:
        raise InvalidInput(fields=[{"field": "page", "message": "is not used together with cursor"}])
    return cursor.sort, cursor.position
