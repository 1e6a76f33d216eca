"""Anonymising a person: what must be sent, and the answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from opsboard.web.arguments import Arguments, Text


class Anonymise(Arguments):
    confirm: Annotated[
        Literal["anonymise"], Field(description="What is removed does not come back: the word `anonymise`.")
    ]
    name: Annotated[
        Text | None,
        Field(
            max_length=200, description="The name of the record as it is now, so that no other one is meant."
        ),
    ] = None


class Anonymised(BaseModel):
    id: int
    anonymised_at: dt.datetime
