"""The status behind a link: the token is checked without the database, the status read in one statement and cached."""

from __future__ import annotations

import time
from dataclasses import dataclass

from opsboard.auth.links import Link, read_token
from opsboard.cache.body import Body
from opsboard.cache.key import Key, canonical
from opsboard.cache.store import Found
from opsboard.db.queries import load_queries
from opsboard.errors import Gone, NotFound
from opsboard.web.services import deadline, services

sql = load_queries(__package__)

ROLE = "link"

# Kept for a link that was revoked, so that asking for it again costs nothing either.
REVOKED = b"null"


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """The holder of a link: one business, no user, no role. Row security and predicates use its tenant."""

    tenant_id: int
    user_id: int = 0
    role: str = ROLE


def find_status(token: str) -> tuple[Body, str, float]:
    """The body for a token, how it was come by, and its age. Raises NotFound or Gone; a bad token sends no statement.

    A link that expired is known by its token. One that was revoked is known by its row, so an answer from before a
    change will not do here, not even while the database is away.
    """
    link = read_token(services().secret, token, accepted=services().config.accepted_secrets)
    if link.expires_at <= time.time():
        raise Gone("This link has expired.")
    # Nobody has signed in here who would have started it.
    services().change_feed.ensure_current()
    body, outcome, age = kept_or_read(link)
    if body.identity == REVOKED:
        raise Gone("This link was revoked.")
    return body, outcome, age


def kept_or_read(link: Link) -> tuple[Body, str, float]:
    config = services().config
    if not config.cache_enabled or config.cache_ttl_job_status <= 0:
        return read(link), "BYPASS", 0.0
    found: Found = services().store.get_or_load(
        key_of(link),
        config.cache_ttl_job_status,
        sql.get_job_status.reads,
        lambda: read(link),
        deadline=deadline(),
        last_good=False,
    )
    return found.body, found.outcome, found.age


def key_of(link: Link) -> Key:
    """The page and the API have one body between them."""
    return Key(
        tenant_id=link.tenant_id,
        role=ROLE,
        user_id=None,
        endpoint=sql.get_job_status.name,
        arguments=canonical({"link_id": link.link_id, "expires_at": link.expires_at}),
    )


def read(link: Link) -> Body:
    row = services().database.fetch_row(
        sql.get_job_status,
        LinkHolder(link.tenant_id),
        {"link_id": link.link_id, "expires_at": link.expires_at},
    )
    if row is None:
        raise NotFound()
    text: str | None = row[0]
    return Body(REVOKED if text is None else text.encode(), sql.get_job_status.reads)
