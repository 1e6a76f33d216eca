"""Passwords: argon2id, with the parameters OWASP's password storage cheat sheet gives as its minimum."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opsboard.errors import TooManySignIns
from opsboard.text import password_forms, stored_password

LONGEST = 200

# Each takes a processor and 19 MiB while it lasts. gunicorn's requests wait their turn before they have a thread
# (`web/connections.py`); this is the bound whatever the server.
AT_ONCE = 2
PATIENCE = 5.0  # seconds
FEWEST_CHECKED = 2
_checking = threading.BoundedSemaphore(AT_ONCE)

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked when there is no such account, so that a wrong name takes as long as a wrong password.
_nobody = _hasher.hash("a password nobody has")


def hash_password(password: str) -> str:
    """The encoded argon2id hash to store."""
    return _hasher.hash(stored_password(password))


def passwords_fit(hashes: Sequence[str | None], password: str) -> list[bool]:
    """Return True if a password fits each stored hash.

    At least two are checked, whatever there is: so the time does not tell whether an address is known, or known at two
    businesses. Raises TooManySignIns when this process checks as many as it may.
    """
    padded = [*hashes, *[None] * (FEWEST_CHECKED - len(hashes))]
    if not _checking.acquire(timeout=PATIENCE):
        raise TooManySignIns()
    try:
        return [password_fits(password_hash, password) for password_hash in padded][: len(hashes)]
    finally:
        _checking.release()


def password_fits(password_hash: str | None, password: str) -> bool:
    """Return True if a password fits a stored hash; takes equally long when there is no hash."""
    # A list: all forms are checked, also when the first of them fits.
    return any([_verified(password_hash, form) for form in password_forms(password)])


def _verified(password_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
