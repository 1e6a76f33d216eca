"""Passwords: argon2id, with the parameters OWASP's password storage cheat sheet gives as its minimum."""

from __future__ import annotations

import os
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opsboard.auth.password_thread import PasswordThread
from opsboard.text import password_forms, stored_password

LONGEST = 200

FEWEST_CHECKED = 2

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked when there is no such account, so that a wrong name takes as long as a wrong password.
_nobody = _hasher.hash("a password nobody has")
# Each hash takes a processor and 19 MiB while it lasts, so a worker computes one at a time.
_thread = PasswordThread()
os.register_at_fork(after_in_child=_thread.start_anew)


def hash_password(password: str) -> str:
    """The encoded argon2id hash to store. Raises TooManySignIns when too many hashes wait in this process."""
    return _thread.run(lambda: _hasher.hash(stored_password(password)))


def passwords_fit(hashes: Sequence[str | None], password: str) -> list[bool]:
    """Return True if a password fits each stored hash.

    At least two are checked, whatever there is: so the time does not tell whether an address is known, or known at two
    businesses. Raises TooManySignIns when too many wait in this process.
    """
    padded = [*hashes, *[None] * (FEWEST_CHECKED - len(hashes))]
    return _thread.run(
        lambda: [password_fits(password_hash, password) for password_hash in padded][: len(hashes)]
    )


def password_fits(password_hash: str | None, password: str) -> bool:
    """Return True if a password fits a stored hash; takes equally long when there is no hash."""
    # A list: all forms are checked, also when the first of them fits.
    return any([_verified(password_hash, form) for form in password_forms(password)])


def _verified(password_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
