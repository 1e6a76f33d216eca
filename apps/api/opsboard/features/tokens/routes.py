"""/api/tokens: make, list and revoke API tokens; everybody their own, admins all of the business."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.api_tokens import hash_of
from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import Forbidden, InvalidInput
from opsboard.features.shapes import WALL_AREAS, WallArea
from opsboard.web.access import sign_in_only
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, Line
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named
from opsboard.web.scopes import SCOPES, WALL, Scope
from opsboard.web.services import identity, public_address, services

area = Area("tokens", __name__, tag="API tokens")
sql = load_queries(__package__)


class ApiToken(BaseModel):
    """`hint`: the token without its secret part. `last_used_at` is right to the minute; null: never used.

    `areas`: what a screen with the scope wall shows; null without that scope.
    """

    id: int
    name: str
    hint: str
    scopes: list[Scope]
    areas: list[WallArea] | None
    user: Named
    created_by: Named | None
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class NewApiToken(ApiToken):
    """`token` and `url` are shown once. `url`: the address of a screen with the scope wall; null without that scope."""

    token: str
    url: str | None


class ApiTokens(Envelope):
    items: list[ApiToken]


@area.list("", ApiTokens)
class ListTokens(ListArguments, query=sql.list_tokens, default_sort="-created_at"):
    """Your API tokens, for admins those of the business, newest first; never their secret part."""

    # Not called user_id inside: that is the caller's own, in every query.
    of_user_id: Annotated[
        Id | None, Field(alias="user_id", description="Of this user or service account; for admins.")
    ] = None

    def filters(self) -> dict[str, Any]:
        who = identity()
        if who.role == Role.ADMIN:
            return super().filters()
        if self.of_user_id not in (None, who.user_id):
            raise Forbidden("Only an admin sees the tokens of others.")
        return {**super().filters(), "of_user_id": who.user_id}


class CreateToken(Arguments):
    name: Annotated[Line, Field(description="The purpose.", examples=["Weekly report"])]
    scopes: Annotated[
        list[Scope],
        Field(
            min_length=1,
            max_length=len(SCOPES),
            description="read: every GET; write: all other requests; health: GET of /api/health; metrics: /metrics; "
            "wall: GET /api/wall, for a screen.",
            examples=[["read"]],
        ),
    ]
    areas: Annotated[
        list[WallArea] | None,
        Field(min_length=1, description="For the scope wall: what the screen shows; without it everything."),
    ] = None
    expires_in_days: Annotated[int, Field(ge=1, le=365, description="Days until it expires.")] = 90
    user_id: Annotated[
        Id | None, Field(description="A service account that it is for; without it, yourself.")
    ] = None


@area.get("/<id:api_token_id>")
@area.input(detail(sql.get_token), location="query", arg_name="wanted")
@area.output(ApiToken)
@fresh
def get_token(api_token_id: int, wanted: Detail) -> Body:
    """One API token, without its secret part."""
    return wanted.document(api_token_id=api_token_id)


@area.post("")
@area.input(CreateToken, arg_name="token")
@area.output(NewApiToken, status_code=201)
@sign_in_only
def create_token(token: CreateToken) -> Response:
    """Make an API token; the answer has it, shown once. Send it as `Authorization: Bearer opsb_...`."""
    api_tokens = services().sign_in.api_tokens
    hint = api_tokens.new_hint(identity().tenant_id)
    return command(
        sql.create_token,
        {
            "name": token.name,
            "scopes": [scope for scope in SCOPES if scope in token.scopes],
            "areas": areas_of(token),
            "expires_in_days": token.expires_in_days,
            # Not coalesce() in SQL: under row security that would read every user instead of the index.
            "of_user_id": token.user_id or identity().user_id,
            "hint": hint,
            "token_hash": hash_of(api_tokens.token_of(hint)),
        },
        status=201,
        location="/api/tokens/{id}",
        complete=with_token,
    )


@area.delete("/<id:api_token_id>")
@area.output(ApiToken)
@sign_in_only
def revoke_token(api_token_id: int) -> Response:
    """End an API token on every worker within a second."""
    return command(sql.revoke_token, {"api_token_id": api_token_id}, current=sql.get_token)


def with_token(text: str) -> str:
    """The finished JSON of a token with the token itself, which is stored neither in the database nor in the cache."""
    made = json.loads(text)
    token = services().sign_in.api_tokens.token_of(made["hint"])
    url = json.dumps(wall_address(token) if made["areas"] else None)
    return f'{text[:-1]}, "token" : {json.dumps(token)}, "url" : {url}}}'


def areas_of(token: CreateToken) -> list[WallArea] | None:
    """The areas of a new token, in their order. Raises Forbidden and InvalidInput."""
    if WALL not in token.scopes:
        if token.areas is not None:
            raise InvalidInput(fields=[{"field": "areas", "message": "is only for the scope wall"}])
        return None
    if identity().role != Role.ADMIN:
        raise Forbidden("Only an admin makes the link of a screen (scope wall).")
    return [name for name in WALL_AREAS if name in (token.areas or WALL_AREAS)]


def wall_address(token: str) -> str:
    """The token stands behind `#`: a browser sends that part to no server, so that it is in no log and no Referer."""
    return f"{public_address()}/wall#token={token}"
