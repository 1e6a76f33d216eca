"""The address of a link to a job's status, made when the link is told and at no other time."""

from __future__ import annotations

import datetime as dt
import json

from opsboard.auth.links import Link, write_token
from opsboard.web.services import identity, public_address, services


def with_url(text: str) -> str:
    """The finished JSON of a link with its address, which is stored neither in the database nor in the cache."""
    made = json.loads(text)
    expires_at = int(dt.datetime.fromisoformat(made["expires_at"]).timestamp())
    token = write_token(services().secret, Link(identity().tenant_id, made["id"], expires_at))
    return f'{text[:-1]}, "url" : {json.dumps(f"{public_address()}/status/{token}")}}}'
