"""Arguments of requests: every argument is declared, validated and bounded; undeclared ones are refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache, wraps
from typing import Annotated, Any, Self, TypeVar, cast, get_args, get_type_hints

from apiflask import APIBlueprint
from flask import Request, request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from opsboard.errors import InvalidInput
from opsboard.text import LONGEST_EMAIL, email_address, normal_form

View = TypeVar("View", bound=Callable[..., Any])
T = TypeVar("T")

LEEWAY = dt.timedelta(minutes=5)
LARGEST_ID = 2**63 - 1  # bigint
PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Arguments(BaseModel):
    """The base of everything a client sends: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def numbers_are_plain(cls, sent: Any) -> Any:
        """Pydantic also reads `1_0`, `+1`, digits of other scripts and `true` as numbers; a client that sends them
        has made a mistake."""
        names = [name for name in number_fields(cls) if name in sent] if isinstance(sent, dict) else []
        if wrong := [name for name in names if not is_plain_number(sent[name])]:
            message = "must be a number, written with the digits 0 to 9"
            raise InvalidInput(fields=[{"field": name, "message": message} for name in wrong])
        return sent

    @model_validator(mode="after")
    def ranges_are_in_order(self) -> Self:
        """A range whose first day is after its last would silently be empty."""
        for name in type(self).model_fields:
            if name.endswith("_from"):
                first, last = getattr(self, name), getattr(self, f"{name.removesuffix('_from')}_to", None)
                if first is not None and last is not None and first > last:
                    message = f"must not be after {name.removesuffix('_from')}_to"
                    raise InvalidInput(fields=[{"field": name, "message": message}])
        return self


@cache
def number_fields(model: type[Arguments]) -> list[str]:
    """The names, as they are sent, of the fields that take a number, or a list of numbers, and nothing else."""
    names = []
    for name, field in model.model_fields.items():
        kinds = set(leaf_types(field.annotation)) - {type(None)}
        if kinds and kinds <= {int, float}:
            names.append(field.alias or name)
    return names


def is_plain_number(value: Any) -> bool:
    """Return True if a value, or each value of a list, is no bool, and is written with ASCII digits if it is text."""
    values = split(value)
    return all(
        not isinstance(each, bool) and (not isinstance(each, str) or bool(PLAIN_NUMBER.fullmatch(each)))
        for each in (values if isinstance(values, list) else [values])
    )


def leaf_types(annotation: Any) -> Iterator[Any]:
    """The types an annotation is made of: int and None for `list[Annotated[int, ...]] | None`."""
    if hasattr(annotation, "__metadata__"):
        yield from leaf_types(annotation.__origin__)
    elif parts := [part for part in get_args(annotation) if part is not ...]:
        for part in parts:
            yield from leaf_types(part)
    else:
        yield annotation


def hide_defaults(schema: dict[str, Any]) -> None:
    """Remove the defaults from the schema of a change: an omitted member keeps its value."""
    for member in schema["properties"].values():
        member.pop("default", None)


class Patch(Arguments):
    """The base of a change: no member is required, and only those that were sent count.

    class ChangeLead(Patch, of=NewLead, without={"scraped_at"}): takes over the fields of NewLead; fields of its own are
    declared beside them, or in their place.
    """

    model_config = ConfigDict(json_schema_extra=hide_defaults)

    def __init_subclass__(
        cls, of: type[Arguments] | None = None, without: Collection[str] = (), **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__annotations__
        taken = get_type_hints(of, include_extras=True) if of else {}
        cls.__annotations__ = {
            name: kind
            for name, kind in (taken | own).items()
            if name in own or (of and name in of.model_fields and name not in without)
        }
        for name in cls.__annotations__.keys() - vars(cls).keys():
            setattr(cls, name, None)

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


def stored(value: str) -> str:
    """Text in the form it is stored in and looked for."""
    return normal_form(storable(value))


def split(value: object) -> object:
    """`a,b` as a list: how a query argument gives more than one value."""
    return value.split(",") if isinstance(value, str) else value


def happened(value: dt.datetime) -> dt.datetime:
    """A moment that has come; the clocks of two machines may differ by a little."""
    if value > dt.datetime.now(dt.UTC) + LEEWAY:
        raise ValueError("is in the future")
    return value


def civil(value: object) -> object:
    """Dates are written YYYY-MM-DD; a bare number is not taken for seconds since 1970."""
    if isinstance(value, str) and not (len(value) == 10 and value[4] == value[7] == "-"):
        raise ValueError("must be a date: YYYY-MM-DD")
    if isinstance(value, int | float):
        raise ValueError("must be a date: YYYY-MM-DD")
    return value


Text = Annotated[str, AfterValidator(stored)]
# Kept as it was sent, to the character: passwords.
Verbatim = Annotated[str, AfterValidator(storable)]
Line = Annotated[Text, Field(min_length=1, max_length=200)]
# Checked as it was sent: an address with characters that do not show is a mistake, not one to be mended in silence.
Email = Annotated[
    str,
    AfterValidator(storable),
    AfterValidator(email_address),
    Field(max_length=LONGEST_EMAIL, json_schema_extra={"format": "email"}),
]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Past = Annotated[AwareDatetime, AfterValidator(happened)]
Day = Annotated[dt.date, BeforeValidator(civil)]
Search = Annotated[Text, Field(min_length=1, max_length=100)]
SPLIT = BeforeValidator(split)
# `status: OneOrMore[JobStatus] = None` is a filter by any of several values.
OneOrMore = Annotated[list[T] | None, SPLIT, Field(description="One or more, separated by commas.")]


def optional_body(blueprint: APIBlueprint, model: type[Arguments], arg_name: str) -> Callable[[View], View]:
    """Like `blueprint.input` for a body that need not be sent: without one, `model()` is what was given."""

    def decorate(view: View) -> View:
        checked = blueprint.input(model, arg_name=arg_name)(view)

        @wraps(checked)
        def answer(*args: Any, **kwargs: Any) -> Any:
            if request.get_data(cache=True):
                return checked(*args, **kwargs)
            return view(*args, **kwargs, **{arg_name: model()})

        answer.has_optional_body = True  # type: ignore[attr-defined]
        return cast(View, answer)

    return decorate


class IdConverter(BaseConverter):
    """`<id:job_id>` in a route: a number that can be an id. Anything else is 404, as an unknown id is."""

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if not 0 < number <= LARGEST_ID:
            # Not ValidationError: after one werkzeug says 405 if the address has other methods.
            raise NotFound()
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
