"""Which passwords may be set: NIST SP 800-63B, section 3.1.1: long enough, not common, not the person's own name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

from opsboard.auth.passwords import LONGEST
from opsboard.text import stored_password

SHORTEST = 10  # characters of a new password; older ones keep working
SHORTEST_NAME = 4  # characters; a shorter one is in many a good password by chance
NO_LETTER = re.compile(r"[\W\d_]+")


def check_new_password(password: str, names: Iterable[str] = ()) -> None:
    """Raise ValueError, with the reason, for a password that would be guessed.

    `names`: the person's address and name, and the business.
    """
    password = stored_password(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}.")
    lowered = password.casefold()
    letters = NO_LETTER.sub("", lowered)
    if len(set(lowered)) < 4 or lowered in common_passwords() or letters in common_passwords():
        raise ValueError("This password is one of the first that are guessed; choose another.")
    if any(letters == part for name in names for part in parts_of(name)):
        raise ValueError("This password is made of a name or an address; choose another.")


def parts_of(name: str) -> set[str]:
    """A name or an address and its parts, without anything but letters."""
    name = name.casefold()
    words = [name, name.partition("@")[0], *NO_LETTER.split(name)]
    return {part for part in (NO_LETTER.sub("", word) for word in words) if len(part) >= SHORTEST_NAME}


@cache
def common_passwords() -> frozenset[str]:
    """The passwords that zxcvbn ranks as most used."""
    return frozenset(FREQUENCY_LISTS["passwords"])
