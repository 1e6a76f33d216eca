"""The error of each SQLSTATE."""

from __future__ import annotations

from opsboard.errors import (
    Conflict,
    DatabaseUnavailable,
    DeadlineExceeded,
    DiskFull,
    InvalidInput,
    OpsboardError,
    SchemaMissing,
)

# SQLSTATE -> the error that a client gets. A prefix of two characters stands for its whole class.
# Source: Appendix A of the PostgreSQL manual.
SQLSTATES: dict[str, type[OpsboardError]] = {
    "57014": DeadlineExceeded,  # query_canceled: statement_timeout, which carries what is left of the deadline
    "55P03": DeadlineExceeded,  # lock_not_available
    "25P03": DeadlineExceeded,  # idle_in_transaction_session_timeout
    "25P04": DeadlineExceeded,  # transaction_timeout
    "23505": Conflict,  # unique_violation
    "23503": Conflict,  # foreign_key_violation
    "23P01": Conflict,  # exclusion_violation
    "40001": Conflict,  # serialization_failure
    "40P01": Conflict,  # deadlock_detected
    "23514": InvalidInput,  # check_violation
    "23502": InvalidInput,  # not_null_violation
    "22": InvalidInput,  # data exception: out of range, invalid text, bad date
    "42P01": SchemaMissing,  # undefined_table
    "42703": SchemaMissing,  # undefined_column
    "42883": SchemaMissing,  # undefined_function
    "08": DatabaseUnavailable,  # connection exception
    "57": DatabaseUnavailable,  # operator intervention: shutdown, crash, cannot connect now
    "53100": DiskFull,  # disk_full
    "53": DatabaseUnavailable,  # insufficient resources: too many connections, out of memory
    "58": DatabaseUnavailable,  # system error: input and output fail
    "25006": DatabaseUnavailable,  # read_only_sql_transaction: a standby, or a server put to read only
    "28": DatabaseUnavailable,  # invalid authorization: wrong role or password in DATABASE_URL
    "3D": DatabaseUnavailable,  # invalid catalog name: no such database
}


def error_for_sqlstate(sqlstate: str | None) -> type[OpsboardError]:
    """Return the error class of a SQLSTATE; OpsboardError (500) if it is not in the table."""
    if sqlstate is None:
        return OpsboardError
    return SQLSTATES.get(sqlstate) or SQLSTATES.get(sqlstate[:2]) or OpsboardError
