"""Every error as a class, with its HTTP answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class OpsboardError(Exception):
    """An error that has an answer: `status` and `code` say which, `detail` says what to do.

    `code` is stable and meant for programs; `detail` is one sentence meant for people and may be
    shown to any client, so it never carries SQL, a DSN or the database's own words.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    # For the log: what the person who reads it can do.
    advice: str = ""
    retry_after: ClassVar[int | None] = None
    default_detail: ClassVar[str] = "Something went wrong on our side; the request id finds it in the log."

    def __init__(self, detail: str | None = None, *, fields: Sequence[Mapping[str, Any]] = ()) -> None:
        self.detail = detail or self.default_detail
        self.fields = [dict(field) for field in fields]
        super().__init__(self.detail)

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that belong to this error."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


# Start-up and command line: the process ends with exit code 2 and this one line.


class ConfigError(OpsboardError):
    """One or more settings are wrong; `faults` has a line for each."""

    code = "configuration"
    title = "Configuration error"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


class MigrationError(OpsboardError):
    """The schema could not be brought to the wanted version."""

    code = "migration"
    title = "Migration failed"


class EmbeddedError(OpsboardError):
    """The embedded Postgres could not be installed, started or stopped."""

    code = "embedded_postgres"
    title = "Embedded Postgres failed"


class CommandError(OpsboardError):
    """A command was given something it cannot work with."""

    status = 400
    code = "command"
    title = "Command failed"


# The database.


class PoolTimeout(OpsboardError):
    """No connection became free within DB_POOL_TIMEOUT."""

    status = 503
    code = "pool_timeout"
    advice = "raise DB_POOL_MAX_CONNECTIONS or find the slow query: curl .../api/health/db"
    title = "All connections are busy"
    retry_after = 1
    default_detail = "All database connections are busy; try again in a moment."


class PoolFull(OpsboardError):
    """More than DB_POOL_MAX_WAITING requests already wait for a connection."""

    status = 503
    code = "pool_full"
    advice = "requests pile up: add workers or find the slow query: curl .../api/health/db"
    title = "Too many requests are waiting"
    retry_after = 1
    default_detail = "Too many requests wait for a database connection; try again in a moment."


class DatabaseUnavailable(OpsboardError):
    """The database cannot be reached, or went away and the work could not be repeated."""

    status = 503
    code = "database_unavailable"
    advice = "check DATABASE_URL and the server: opsboard doctor"
    title = "Database unavailable"
    retry_after = 2
    default_detail = "The database cannot be reached; try again in a moment."


class DiskFull(DatabaseUnavailable):
    """The server has no room left for what was to be written, or for what a query sorts on disk."""

    code = "disk_full"
    advice = "make room on the database's disk; nothing else is to be done"
    title = "The database's disk is full"
    retry_after = 60
    default_detail = "The database has no room left on its disk; nothing can be written until there is."


class WritesPaused(OpsboardError):
    """An operator has paused writes (`opsboard maintenance on`)."""

    status = 503
    code = "maintenance"
    advice = "opsboard maintenance status; opsboard maintenance off"
    title = "Under maintenance"
    default_detail = "Nothing can be changed at the moment, because of maintenance; reading goes on."

    def __init__(self, seconds: int = 60, reason: str = "") -> None:
        super().__init__(f"{self.default_detail} {reason}".strip())
        self._seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self._seconds)}


class DeadlineExceeded(OpsboardError):
    """The request used up REQUEST_DEADLINE."""

    status = 504
    code = "deadline_exceeded"
    advice = "look at the query with opsboard explain, or raise REQUEST_DEADLINE"
    title = "Took too long"
    default_detail = "The request took too long. Narrow it down, or try again."


class SchemaMissing(OpsboardError):
    """A table or column the code needs is not in the database."""

    status = 503
    code = "schema_missing"
    advice = "run opsboard migrate"
    title = "Database is not migrated"
    retry_after = 10
    default_detail = "The database schema does not fit this version; run `opsboard migrate`."


# The request.


class InvalidInput(OpsboardError):
    """The request is understood but its content is wrong; `fields` says where."""

    status = 400
    code = "invalid_input"
    title = "Invalid input"
    default_detail = "The request has invalid values."


class NotSignedIn(OpsboardError):
    """There is no valid token."""

    status = 401
    code = "not_signed_in"
    title = "Not signed in"
    default_detail = "Send a valid token: Authorization: Bearer <token>."

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="opsboard"'}


class WrongCredentials(NotSignedIn):
    """E-mail and password do not fit together."""

    code = "wrong_credentials"
    title = "Sign-in failed"
    default_detail = "E-mail or password is wrong."


class Forbidden(OpsboardError):
    """The caller is known but may not do this."""

    status = 403
    code = "forbidden"
    title = "Not allowed"
    default_detail = "Your role does not allow this."


class NotFound(OpsboardError):
    """There is no such thing, or it belongs to another tenant: the answers are equal."""

    status = 404
    code = "not_found"
    title = "Not found"
    default_detail = "There is no such thing here."


class Gone(OpsboardError):
    """The resource at this address has ended for good."""

    status = 410
    code = "gone"
    title = "No longer valid"
    default_detail = "This has ended."


class Conflict(OpsboardError):
    """The change does not fit the present state."""

    status = 409
    code = "conflict"
    title = "Conflict"
    default_detail = "The change conflicts with the current state. Read it again first."


class PreconditionFailed(OpsboardError):
    """If-Match does not match the current ETag."""

    status = 412
    code = "precondition_failed"
    title = "Changed meanwhile"
    default_detail = "This was changed since you read it. Read it again, then repeat your change."


class KeyTaken(Conflict):
    """A write with this Idempotency-Key has been done; its answer is kept."""


class KeyInUse(OpsboardError):
    """A write with this Idempotency-Key is under way."""

    status = 409
    code = "idempotency_key_in_use"
    title = "Under way"
    retry_after = 1
    default_detail = "A request with this Idempotency-Key is under way; ask again for its answer."


class KeyMisused(OpsboardError):
    """The Idempotency-Key was sent with another request before."""

    status = 422
    code = "idempotency_key_misused"
    title = "Another request"
    default_detail = "This Idempotency-Key belongs to another request; use a new key for a new request."


class Stale(Conflict):
    """Somebody else was faster while the write waited for its turn; asked again, it sees what they did."""


class TooManyAttempts(OpsboardError):
    """The limit of sign-in attempts is reached."""

    status = 429
    code = "too_many_attempts"
    title = "Too many attempts"
    default_detail = "Too many failed sign-ins from here; wait until the time in Retry-After has passed."

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__()

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}


class TooManySignIns(OpsboardError):
    """This worker checks as many passwords as it may at a time."""

    status = 503
    code = "too_many_sign_ins"
    title = "Too many sign-ins"
    retry_after = 1
    default_detail = "Too many people are signing in right now. Try again in a second."


class TooManyExports(OpsboardError):
    """This worker makes as many exports as it may at a time."""

    status = 503
    code = "too_many_exports"
    advice = "exports hold connections: see EXPORT_MOST and EXPORT_DEADLINE"
    title = "Too many exports"
    retry_after = 10
    default_detail = "Other exports are under way; try again in a moment."
