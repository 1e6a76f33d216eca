"""The check of a token as it is usually written: decoded by PyJWT at each request."""

from __future__ import annotations

import os

import jwt
from flask import abort, g, request

KEY = os.environ["SECRET_KEY"]


def check_token() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        abort(401)
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"], audience="opsboard", issuer="opsboard")
    except jwt.InvalidTokenError:
        abort(401)
    g.user = claims["tid"], claims["sub"]
