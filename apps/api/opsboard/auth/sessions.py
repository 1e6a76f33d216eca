"""Sessions: a sign-in with all its renewed tokens, which share an id; and one's own password, which ends the others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opsboard.auth.attempts import Attempts
from opsboard.auth.identity import Identity
from opsboard.auth.password_links import check_password
from opsboard.auth.passwords import hash_password, passwords_fit
from opsboard.auth.revocations import Revocations
from opsboard.auth.tokens import Issued, Tokens
from opsboard.db.database import Database
from opsboard.db.queries import Query, load_queries
from opsboard.errors import Conflict, InvalidInput, NotSignedIn, TooManyAttempts
from opsboard.observability import record

sql = load_queries(__package__)

LONGEST_DEVICE = 300  # characters
LONGEST_ADDRESS = 100
VERSIONS_KEPT = 8 * 86_400.0  # seconds; longer than any token lasts


class Sessions:
    """Begins, renews and ends sessions."""

    def __init__(
        self, database: Database, tokens: Tokens, revocations: Revocations, attempts: Attempts
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._revocations = revocations
        self._attempts = attempts

    def begin(self, account: Mapping[str, Any], address: str, device: str) -> Issued:
        """The first token of a new session."""
        issued = self._tokens.begin(
            account["tenant_id"], account["user_id"], account["role"], account["token_version"]
        )
        identity = issued.identity
        self._database.fetch_row(
            sql.begin_session,
            identity,
            {
                "token_id": identity.token_id,
                "token_version": identity.token_version,
                "device": shown(device, LONGEST_DEVICE),
                "address": shown(address, LONGEST_ADDRESS),
                "expires_at": identity.expires_at,
                "ends_at": identity.session_ends_at,
            },
        )
        return issued

    def renew(self, identity: Identity, token_version: int | None = None) -> Issued:
        """Another token of the same session, which lasts as long as a new one but not beyond the session's end."""
        return self._tokens.renew(identity, token_version or identity.token_version)

    def end_others(self, identity: Identity) -> Issued:
        """End all other sessions of the caller; this one goes on with the token that is returned."""
        return self._go_on(sql.end_others, identity, {})

    def change_password(self, identity: Identity, current: str, new: str, address: str) -> Issued:
        """Set another password; all other sessions end. Raises InvalidInput, TooManyAttempts and Conflict."""
        row = self._database.fetch_row(sql.get_password, identity)
        if row is None:
            raise NotSignedIn()
        old_hash, *names = row
        attempt = self._attempts.begin(names[0], address, None)
        if not attempt.is_allowed:
            raise TooManyAttempts(attempt.retry_after)
        if not passwords_fit([old_hash], current)[0]:
            self._attempts.failed(attempt)
            message = "is not your present password"
            raise InvalidInput(fields=[{"field": "current_password", "message": message}])
        self._attempts.succeeded(attempt)
        check_password("new_password", new, *names)
        return self._go_on(
            sql.change_password, identity, {"old_hash": old_hash, "password_hash": hash_password(new)}
        )

    def _go_on(self, query: Query, identity: Identity, values: Mapping[str, Any]) -> Issued:
        current = record.current()
        given = {"token_id": identity.token_id, "request_id": current.request_id if current else None}
        row = self._database.fetch_row(query, identity, {**given, **values})
        if row is None:
            raise Conflict("Your password was changed at this moment; try again.")
        version: int = row[0]
        # Here at once; the other workers read it from the change feed.
        until = time.time() + VERSIONS_KEPT
        self._revocations.add(identity.tenant_id, identity.user_id, None, version, until)
        return self.renew(identity, version)


def shown(text: str, longest: int) -> str:
    """Return the client's name of itself in a form that can be stored and shown."""
    return "".join(character for character in text if character.isprintable())[:longest]
