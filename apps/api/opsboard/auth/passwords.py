"""Passwords: argon2id, with the parameters OWASP's password storage cheat sheet gives as its minimum."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opsboard.text import password_forms, stored_password

SHORTEST = 8
LONGEST = 200

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked when there is no such account, so that a wrong name takes as long as a wrong password.
_nobody = _hasher.hash("a password nobody has")


def hash_password(password: str) -> str:
    """The encoded argon2id hash to store."""
    return _hasher.hash(stored_password(password))


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether a password fits a stored hash; takes equally long when there is no hash."""
    return any(_verified(password_hash, form) for form in password_forms(password))


def _verified(password_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
