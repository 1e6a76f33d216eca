"""POST /api/auth/login and /logout, GET and PATCH /api/auth/me."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, jsonify, request
from pydantic import ConfigDict, Field

from opsboard.auth.devices import LASTS
from opsboard.auth.passwords import LONGEST
from opsboard.auth.sign_in import sql
from opsboard.cache.body import Body
from opsboard.errors import Forbidden
from opsboard.features.auth import password_routes, session_routes  # noqa: F401  # add their routes
from opsboard.features.auth.area import area, own_sql
from opsboard.features.auth.schemas import Me, Token
from opsboard.web.access import (
    COOKIE,
    DEVICE_COOKIE,
    cookie_name,
    is_https,
    open_to_all,
    same_origin,
    set_cookie,
    sign_in_only,
)
from opsboard.web.arguments import Arguments, Patch, Text, Verbatim
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.maintenance_mode import goes_on
from opsboard.web.openapi import problems, takes_no_key
from opsboard.web.services import identity, services


class Credentials(Arguments):
    email: Annotated[Text, Field(min_length=3, max_length=254)]
    # Spaces at the ends of a password belong to it.
    password: Annotated[
        Verbatim, Field(min_length=1, max_length=LONGEST, json_schema_extra={"format": "password"})
    ]
    tenant: Annotated[
        Text, Field(max_length=63, description="Slug of the business, if the address is known at several.")
    ] = ""
    cookie: Annotated[bool, Field(description="Also set the page's HttpOnly cookie.")] = False

    model_config = ConfigDict(str_strip_whitespace=False)


@area.post("/login")
@area.input(Credentials, arg_name="given")
@area.output(Token)
@problems(401, 429)
@takes_no_key
@open_to_all
@goes_on
def login(given: Credentials) -> Response:
    """Exchange e-mail address and password for a token."""
    token, lasts = services().sign_in.sign_in(
        given.email,
        given.password,
        given.tenant,
        request.remote_addr or "unix",
        services().devices.known(request.cookies.get(cookie_name(DEVICE_COOKIE), ""), given.email),
        request.user_agent.string,
    )
    response = jsonify(access_token=token, token_type="Bearer", expires_in=lasts)
    if given.cookie:
        if not same_origin(request):
            raise Forbidden("The cookie is given to the page itself only.")
        set_cookie(response, COOKIE, token, lasts)
        device = services().devices.remember(request.cookies.get(cookie_name(DEVICE_COOKIE), ""), given.email)
        set_cookie(response, DEVICE_COOKIE, device, LASTS)
    return response


@area.get("/me")
@area.output(Me)
@fresh
def me() -> Body:
    """The signed-in user and their business."""
    return document(sql.get_me, **of_caller())


def of_caller() -> dict[str, Any]:
    return {"runs_service": services().operators.runs_service(identity().tenant_id)}


class ChangeMe(Patch):
    full_name: Annotated[Text, Field(max_length=200, examples=["Kim Sand"])]


@area.patch("/me")
@area.input(ChangeMe, arg_name="change")
@area.output(Me)
@sign_in_only
def update_me(change: ChangeMe) -> Response:
    """Change your own name."""
    return command(own_sql.update_me, {"patch": change.patch(), **of_caller()}, current=sql.get_me)


@area.post("/logout")
@area.output({}, status_code=204)
@takes_no_key
@sign_in_only
@goes_on
def logout() -> Response:
    """End this token, on every worker."""
    services().sign_in.sign_out(identity(), request.remote_addr or "unix")
    response = Response(status=204)
    response.delete_cookie(cookie_name(COOKIE), httponly=True, samesite="Strict", secure=is_https())
    return response
