"""The address of a link by which somebody sets their password, made when the link is shown and at no other time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from opsboard.auth.links import PASSWORD, Link, write_token
from opsboard.web.services import identity, public_address, services

DAYS = 7


def has_mail() -> bool:
    """Links are also sent by mail if this is true."""
    return bool(services().config.smtp_host)


def with_invitation(text: str) -> str:
    """The finished JSON of a new user with their invitation; null for a service account."""
    link = json.loads(text)["password_link"]
    invitation = {**address_of(link), "expires_at": link["expires_at"]} if link else None
    return f'{text[:-1]}, "invitation" : {json.dumps(invitation)}}}'


def with_url(text: str) -> str:
    """The finished JSON of a link with its address, which is stored neither in the database nor in the cache."""
    address = address_of(json.loads(text))
    return f'{text[:-1]}, "url" : {json.dumps(address["url"])}, "token" : {json.dumps(address["token"])}}}'


def address_of(link: dict[str, Any]) -> dict[str, str]:
    """The token stands behind `#`: a browser sends that part to no server, so that it is in no log."""
    expires_at = int(dt.datetime.fromisoformat(link["expires_at"]).timestamp())
    token = write_token(services().secret, Link(identity().tenant_id, link["id"], expires_at), PASSWORD)
    return {"url": f"{public_address()}/set-password#{token}", "token": token}
