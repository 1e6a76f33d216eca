"""Invitations and reset links: who has one sets a password, once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from opsboard.auth.attempts import Attempts
from opsboard.auth.identity import Holder
from opsboard.auth.links import PASSWORD, Link, read_token
from opsboard.auth.password_rules import check_new_password
from opsboard.auth.passwords import hash_password
from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import Gone, InvalidInput, OpsboardError
from opsboard.observability import record

sql = load_queries(__package__)

ENDED = "This link has expired, was used or was revoked; ask for a new one."


class PasswordLinks:
    """Reads and uses the links; features/users makes them."""

    def __init__(
        self, database: Database, attempts: Attempts, secret: str, accepted: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._secret = secret
        self._accepted = accepted

    def find(self, token: str) -> dict[str, Any]:
        """The person a link is for. Raises NotFound for a token we did not make, Gone for one that has ended."""
        return self._find(self._read(token))

    def use(self, token: str, password: str) -> str:
        """Set the password; the finished JSON of the account. Raises NotFound, Gone and InvalidInput."""
        link = self._read(token)
        person = self._find(link)
        check_password(
            "password",
            password,
            person["email"],
            person["full_name"],
            person["tenant"],
            person["business_name"],
        )
        current = record.current()
        row = self._database.fetch_row(
            sql.use_password_link,
            Holder(link.tenant_id),
            {
                "link_id": link.link_id,
                "password_hash": hash_password(password),
                "request_id": current.request_id if current else None,
            },
        )
        if row is None:
            raise Gone(ENDED)
        # A person who forgot the password may have used up their attempts. The link is used up in any case.
        with suppress(OpsboardError):
            self._attempts.unlock(person["email"])
        return str(row[0])

    def _read(self, token: str) -> Link:
        link = read_token(self._secret, token, PASSWORD, self._accepted)
        if link.expires_at <= time.time():
            raise Gone(ENDED)
        return link

    def _find(self, link: Link) -> dict[str, Any]:
        row = self._database.fetch_row(
            sql.find_password_link, Holder(link.tenant_id), {"link_id": link.link_id}
        )
        if row is None or not row[0]:
            raise Gone(ENDED)
        person: dict[str, Any] = json.loads(row[1])
        return person


def check_password(field: str, password: str, *names: str) -> None:
    """Raise InvalidInput, with the reason, for a password that would be guessed."""
    try:
        check_new_password(password, names)
    except ValueError as error:
        raise InvalidInput(str(error), fields=[{"field": field, "message": str(error)}]) from None
