"""/api/auth/sessions, /renew and /password: where one is signed in, for how long, and one's own password."""

from __future__ import annotations

from typing import Annotated

from flask import Response, g, jsonify, request
from pydantic import ConfigDict, Field

from opsboard.auth.tokens import Issued
from opsboard.cache.body import Body
from opsboard.errors import Forbidden
from opsboard.features.auth.area import area, own_sql
from opsboard.features.auth.password_routes import NewPassword
from opsboard.features.auth.schemas import Session, Sessions, Token
from opsboard.web.access import COOKIE, set_cookie, sign_in_only
from opsboard.web.arguments import Arguments, Verbatim
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.maintenance_mode import goes_on
from opsboard.web.openapi import problems, takes_no_key
from opsboard.web.services import identity, services


class ChangePassword(Arguments):
    current_password: Annotated[
        Verbatim, Field(min_length=1, max_length=1000, json_schema_extra={"format": "password"})
    ]
    new_password: NewPassword

    model_config = ConfigDict(str_strip_whitespace=False)


@area.get("/sessions")
@area.output(Sessions)
@sign_in_only
@fresh
def get_sessions() -> Body:
    """Where you are signed in: device, address and last use, the latest first."""
    return document(own_sql.get_sessions, token_id=identity().token_id)


@area.get("/sessions/<id:session_id>")
@area.input(detail(own_sql.get_session), location="query", arg_name="selection")
@area.output(Session)
@sign_in_only
@fresh
def get_session(session_id: int, selection: Detail) -> Body:
    """One of your sessions."""
    return selection.document(session_id=session_id, token_id=identity().token_id)


@area.delete("/sessions/<id:session_id>")
@area.output(Session)
@sign_in_only
@goes_on
def end_session(session_id: int) -> Response:
    """End one session, on every worker."""
    return command(
        own_sql.end_session,
        {"session_id": session_id, "token_id": identity().token_id},
        current=own_sql.get_session,
    )


@area.post("/sessions/end-others")
@area.output(Token)
@takes_no_key
@sign_in_only
@goes_on
def end_other_sessions() -> Response:
    """Sign out everywhere else; continue with the token of the answer."""
    return go_on(services().sign_in.sessions.end_others(identity()))


@area.post("/password")
@area.input(ChangePassword, arg_name="given")
@area.output(Token)
@problems(401, 429)
@takes_no_key
@sign_in_only
def change_password(given: ChangePassword) -> Response:
    """Change your password and sign out everywhere else; continue with the token of the answer."""
    return go_on(
        services().sign_in.sessions.change_password(
            identity(), given.current_password, given.new_password, request.remote_addr or "unix"
        )
    )


@area.post("/renew")
@area.output(Token)
@takes_no_key
@sign_in_only
@goes_on
def renew() -> Response:
    """Another token of this sign-in, which lasts as long as a new one, until SESSION_LONGEST is over."""
    who = identity()
    if who.expires_at >= who.session_ends_at:
        raise Forbidden("This sign-in has reached its end; sign in again.")
    return go_on(services().sign_in.sessions.renew(who))


def go_on(issued: Issued) -> Response:
    """Answer with the token; a page that sent its cookie gets the new one in it."""
    services().sign_in.last_uses.note(issued.identity)
    response = jsonify(access_token=issued.token, token_type="Bearer", expires_in=issued.lasts)
    if g.by_cookie:
        set_cookie(response, COOKIE, issued.token, issued.lasts)
    return response
