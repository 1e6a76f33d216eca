"""POST /api/auth/password-link and /api/auth/password-link/accept: set a password by an invitation or a reset link."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from opsboard.features.auth.area import area
from opsboard.web.access import open_to_all
from opsboard.web.arguments import Arguments, Verbatim
from opsboard.web.openapi import problems, takes_no_key
from opsboard.web.representation import JSON
from opsboard.web.services import services

LinkToken = Annotated[
    Verbatim, Field(min_length=1, max_length=300, description="The part of the link after #.")
]
NewPassword = Annotated[
    Verbatim,
    Field(
        # The rules count characters after Unicode normalisation; this only bounds what is read.
        min_length=1,
        max_length=1000,
        description="10 to 200 characters; common passwords are refused.",
        json_schema_extra={"format": "password", "examples": ["tall trees in march"]},
    ),
]


class FindLink(Arguments):
    token: LinkToken


class AcceptLink(Arguments):
    token: LinkToken
    # Spaces at the ends of a password belong to it.
    password: NewPassword

    model_config = ConfigDict(str_strip_whitespace=False)


class LinkedPerson(BaseModel):
    kind: Literal["invitation", "reset"]
    email: str
    full_name: str
    tenant: str
    business_name: str
    expires_at: dt.datetime


class Account(BaseModel):
    """The name used to sign in, besides the password."""

    email: str
    tenant: str


@area.post("/password-link")
@area.input(FindLink, arg_name="given")
@area.output(LinkedPerson)
@problems(404, 410)
@takes_no_key
@open_to_all
def find_password_link(given: FindLink) -> Response:
    """The person that an invitation or reset link is for; 410 when it has ended."""
    return jsonify(services().password_links.find(given.token))


@area.post("/password-link/accept")
@area.input(AcceptLink, arg_name="given")
@area.output(Account)
@problems(404, 410)
@takes_no_key
@open_to_all
def accept_password_link(given: AcceptLink) -> Response:
    """Set the password by an invitation or reset link, once; sign in with it afterwards."""
    return Response(services().password_links.use(given.token, given.password), mimetype=JSON)
