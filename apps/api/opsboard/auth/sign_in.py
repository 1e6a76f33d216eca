"""Sign-in, sign-out, and whether a token that looks right still is."""

from __future__ import annotations

import json
import time
from typing import Any

from opsboard.auth.api_tokens import PREFIX, ApiTokens
from opsboard.auth.attempts import Attempts
from opsboard.auth.identity import Identity
from opsboard.auth.journal import Account, Journal
from opsboard.auth.last_use import LastUses
from opsboard.auth.passwords import passwords_fit
from opsboard.auth.revocations import Revocations
from opsboard.auth.sessions import Sessions
from opsboard.auth.tokens import Tokens
from opsboard.db.database import Database
from opsboard.db.lookout import Lookout
from opsboard.db.queries import load_queries
from opsboard.errors import (
    Conflict,
    DatabaseUnavailable,
    DeadlineExceeded,
    NotSignedIn,
    PoolTimeout,
    TooManyAttempts,
    WrongCredentials,
)

sql = load_queries(__package__)


class SignIn:
    """The door: exchanges a password for a token, and a token for an identity."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        revocations: Revocations,
        attempts: Attempts,
        journal: Journal,
        api_tokens: ApiTokens,
        last_uses: LastUses,
    ) -> None:
        self._database = database
        self.tokens = tokens
        self.revocations = revocations
        self._attempts = attempts
        self.journal = journal
        self.api_tokens = api_tokens
        self.last_uses = last_uses
        self.sessions = Sessions(database, tokens, revocations, attempts)

    def sign_in(
        self,
        email: str,
        password: str,
        tenant: str,
        address: str,
        device: str | None = None,
        agent: str = "",
    ) -> tuple[str, int]:
        """A token and how many seconds it lasts.

        `tenant` (a slug) is needed only by somebody with the same e-mail address and password at two businesses.
        Raises WrongCredentials, the same for a wrong name, a wrong password and a blocked account;
        TooManyAttempts; TooManySignIns; Conflict when the business must be named. `device`: the id of one on which this
        account has signed in before. `agent`: what the client says it is.
        """
        attempt = self._attempts.begin(email, address, device)
        if not attempt.is_allowed:
            known = self._accounts(email, tenant) if attempt.is_first_refusal else []
            self.journal.note("sign_in_refused", email, address, users_of(known))
            raise TooManyAttempts(attempt.retry_after)
        accounts = self._accounts(email, tenant)
        fits = passwords_fit([account["password_hash"] for account in accounts], password)
        fitting = [account for account, fit in zip(accounts, fits, strict=True) if fit]
        if not fitting:
            self._attempts.failed(attempt)
            self.journal.note("sign_in_failed", email, address, users_of(accounts))
            raise WrongCredentials()
        self._attempts.succeeded(attempt)
        if len(fitting) > 1:
            raise Conflict("This e-mail address is known at more than one business; send its slug as tenant.")
        account = fitting[0]
        self.journal.note("sign_in", email, address, users_of([account]))
        issued = self.sessions.begin(account, address, agent)
        return issued.token, issued.lasts

    def identify(self, token: str, reading: bool = False) -> Identity:
        """Return the identity of a valid token. Raises NotSignedIn.

        Takes no connection, unless this worker has not heard of revocations lately. `reading`: the request
        changes nothing, so while the database is away, and nobody can end a token there, one that was good
        at this worker's last poll is good enough for a cached answer.
        """
        if token.startswith(PREFIX):
            identity = self.api_tokens.identify(
                token, reading, lambda query, values, holder: self._database.fetch_row(query, holder, values)
            )
        else:
            identity = self._identify_person(token, reading)
        self.last_uses.note(identity)
        return identity

    def _identify_person(self, token: str, reading: bool) -> Identity:
        identity = self.tokens.verify(token)
        revoked = self.revocations.is_revoked(identity)
        if revoked:
            raise NotSignedIn("This sign-in has ended; sign in again.")
        if revoked is False:
            self.revocations.record_admitted(identity)
            return identity
        try:
            self._check(identity)
        except DatabaseUnavailable:
            if not (reading and self.revocations.was_admitted(identity)):
                raise
        return identity

    def identify_operator(self, token: str, lookout: Lookout, reading: bool) -> Identity:
        """As `identify`, for an answer about the state of the service, which must not wait for the database.

        While the database does not answer, nobody can end a token there. Then one that is not revoked as far as this
        worker has ever heard is good enough to read with, also when it was never shown to this worker before. An API
        token has to have been shown: it cannot be told without the database whether there is one.
        """
        if token.startswith(PREFIX):
            identity = self.api_tokens.identify(
                token,
                reading,
                lambda query, values, holder: lookout.ask(query, values, holder, remember=False).row,
            )
            self.last_uses.note(identity)
            return identity
        identity = self.tokens.verify(token)
        revoked = self.revocations.is_revoked(identity)
        if revoked:
            raise NotSignedIn("This sign-in has ended; sign in again.")
        if revoked is None:
            try:
                row = lookout.ask(
                    sql.check_token,
                    {"token_id": identity.token_id, "token_version": identity.token_version},
                    identity,
                    remember=False,
                ).row
            except (DatabaseUnavailable, DeadlineExceeded, PoolTimeout):
                if not (reading and self.revocations.has_synced):
                    raise
            else:
                if row is None or not row[0]:
                    raise NotSignedIn("This sign-in has ended; sign in again.")
        return identity

    def business_of(self, token: str) -> int | None:
        """The business that a token was issued for, ended or not; None: it is none of ours. Asks nobody."""
        try:
            if token.startswith(PREFIX):
                return self.api_tokens.business_of(token)
            return self.tokens.verify(token).tenant_id
        except NotSignedIn:
            return None

    @property
    def generation(self) -> int:
        """The number of revocations so far. While it stays, `is_valid_for` stays true until `fresh_until`."""
        return self.revocations.added

    @property
    def fresh_until(self) -> float:
        """The time (of the monotonic clock) until which this worker knows of every revocation."""
        return self.revocations.fresh_until

    def is_valid_for(self, identity: Identity) -> bool:
        """Return True if `identify` would return this identity again, without asking the database."""
        return self.revocations.is_revoked(identity) is False and not self.tokens.has_expired(identity)

    def was_admitted(self, identity: Identity) -> bool:
        """Return True if `identify` would let it read while the database is away: good when this worker last heard."""
        return (
            self.revocations.is_revoked(identity) is not True
            and self.revocations.was_admitted(identity)
            and not self.tokens.has_expired(identity)
        )

    def seconds_left(self, identity: Identity) -> float:
        """Until the token expires by itself."""
        return self.tokens.seconds_left(identity)

    def renewal_due_in(self, identity: Identity) -> float:
        """Seconds until a sign-in should get a new token; endless for one that is not renewed."""
        return self.tokens.renewal_due_in(identity)

    def _check(self, identity: Identity) -> None:
        row = self._database.fetch_row(
            sql.check_token,
            identity,
            {"token_id": identity.token_id, "token_version": identity.token_version},
        )
        if row is None or not row[0]:
            raise NotSignedIn("This sign-in has ended; sign in again.")

    def sign_out(self, identity: Identity, address: str) -> None:
        """End this token: here at once, on the other workers as soon as their change feed reads it."""
        self._database.fetch_row(
            sql.revoke_token, identity, {"token_id": identity.token_id, "expires_at": identity.expires_at}
        )
        self.revocations.add(
            identity.tenant_id,
            identity.user_id,
            identity.token_id,
            None,
            max(identity.expires_at, time.time()),
        )
        user = Account(identity.tenant_id, identity.user_id, identity.role)
        self.journal.note(
            "sign_out", f"user {identity.user_id} of business {identity.tenant_id}", address, [user]
        )

    def _accounts(self, email: str, tenant: str) -> list[dict[str, Any]]:
        row = self._database.fetch_for_sign_in(sql.find_accounts, email, tenant)
        accounts: list[dict[str, Any]] = json.loads(row[0]) if row else []
        usable = [
            account
            for account in accounts
            if account["is_active"] and (account["tenant_named"] or not tenant)
        ]
        return usable


def users_of(accounts: list[dict[str, Any]]) -> list[Account]:
    return [Account(account["tenant_id"], account["user_id"], account["role"]) for account in accounts]
