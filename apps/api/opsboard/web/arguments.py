"""What a request may say: every argument is declared, checked and bounded; what is not declared is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar, cast

from apiflask import APIBlueprint
from flask import Request, request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from werkzeug.routing import BaseConverter, ValidationError

from opsboard.errors import InvalidInput

View = TypeVar("View", bound=Callable[..., Any])

LARGEST_ID = 2**63 - 1  # bigint


class Arguments(BaseModel):
    """The base of everything a client sends: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


def hide_defaults(schema: dict[str, Any]) -> None:
    """What is not sent of a change stays as it is: that is no default to be told."""
    for member in schema["properties"].values():
        member.pop("default", None)


class Patch(Arguments):
    """The base of a change: only the members that were sent count, whatever their defaults say."""

    model_config = ConfigDict(json_schema_extra=hide_defaults)

    def patch(self) -> str:
        """The members that were sent, as JSON for jsonb_populate_record; none at all is refused."""
        if not self.model_fields_set:
            raise InvalidInput("Send at least one member to change.")
        return self.model_dump_json(include=self.model_fields_set)


def storable(value: str) -> str:
    """Text that Postgres can hold: no NUL, no lone surrogate."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return value


def split(value: object) -> object:
    """`a,b` as a list: how a query argument gives more than one value."""
    return value.split(",") if isinstance(value, str) else value


def civil(value: object) -> object:
    """Dates are written YYYY-MM-DD; a bare number is not taken for seconds since 1970."""
    if isinstance(value, str) and not (len(value) == 10 and value[4] == value[7] == "-"):
        raise ValueError("must be a date: YYYY-MM-DD")
    if isinstance(value, int | float):
        raise ValueError("must be a date: YYYY-MM-DD")
    return value


Text = Annotated[str, AfterValidator(storable)]
Line = Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=200)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Day = Annotated[dt.date, BeforeValidator(civil)]
Search = Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=100)]
SPLIT = BeforeValidator(split)


def optional_body(blueprint: APIBlueprint, model: type[Arguments], arg_name: str) -> Callable[[View], View]:
    """Like `blueprint.input` for a body that need not be sent: without one, `model()` is what was given."""

    def decorate(view: View) -> View:
        checked = blueprint.input(model, arg_name=arg_name)(view)

        @wraps(checked)
        def answer(*args: Any, **kwargs: Any) -> Any:
            if request.get_data(cache=True):
                return checked(*args, **kwargs)
            return view(*args, **kwargs, **{arg_name: model()})

        return cast(View, answer)

    return decorate


class IdConverter(BaseConverter):
    """`<id:job_id>` in a route: a number that can be an id. Anything else is 404, as an unknown id is."""

    regex = r"\d{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if not 0 < number <= LARGEST_ID:
            raise ValidationError()
        return number


def any_query_string(view: View) -> View:
    """This view is for people, whose mail and chat programs put words of their own behind an address: it reads none."""
    view.any_query_string = True  # type: ignore[attr-defined]
    return view


def refuse_undeclared(request: Request, view: Any) -> None:
    """400 for query arguments a view does not declare, and for one given twice."""
    if getattr(view, "any_query_string", False):
        return
    declared = any(location == "query" for _, location in getattr(view, "_spec", {}).get("args") or ())
    fields = []
    for name, values in request.args.lists():
        if not declared:
            fields.append({"field": name, "message": "is not an argument of this address"})
        elif len(values) > 1:
            fields.append({"field": name, "message": "is given more than once"})
    if fields:
        raise InvalidInput("The query string has arguments that are not allowed.", fields=fields)
