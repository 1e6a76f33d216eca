"""The form texts are stored in, and the one check of e-mail addresses. SQL has the other forms (0035_text_forms)."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import email_validator

LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets

# Characters that never show: soft hyphen, zero-width space, word joiner, byte order mark.
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
# Removed at both ends: white space, joiners and direction marks. Inside a text these have a meaning.
_ENDS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\u00a0\u061c\u1680\u180e\u3000"
    + "".join(map(chr, range(0x2000, 0x2010)))
    + "".join(map(chr, range(0x2028, 0x2030)))
    + "".join(map(chr, range(0x205F, 0x2070)))
)
_NUMBER = re.compile(r"[-+()./ \u00a0\u202f0-9]*")
FEWEST_DIGITS = 3

# Shop networks use .local, imports make up .invalid: an address must be well formed, not deliverable.
for _name in ("invalid", "local", "test"):
    if _name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def normal_form(value: str) -> str:
    """The text as it is stored: NFC, without characters that never show, trimmed; as normal_form() of the database."""
    if value.isascii():
        return value.strip(_ENDS)
    return unicodedata.normalize("NFC", value.translate(INVISIBLE)).strip(_ENDS)


def email_address(value: str) -> str:
    """The address as it is stored. Raises ValueError with a reason that says what is wrong with it."""
    try:
        checked = email_validator.validate_email(value, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None
    if len(checked.normalized) > LONGEST_EMAIL:
        raise ValueError(f"is longer than {LONGEST_EMAIL} characters, the most of an e-mail address")
    return checked.normalized


def phone_number(value: str) -> str:
    """The telephone number as it is stored. Raises ValueError when it has other than digits and what parts them."""
    if not _NUMBER.fullmatch(value) or sum(character.isdigit() for character in value) < FEWEST_DIGITS:
        raise ValueError("is not a telephone number")
    return value


def recipient_address(value: str) -> tuple[str, Literal["email", "number"]]:
    """An address that messages go to and what it is. Raises ValueError when it is neither."""
    if "@" in value:
        return email_address(value), "email"
    try:
        return phone_number(value), "number"
    except ValueError:
        raise ValueError("is neither an e-mail address nor a telephone number") from None


def password_forms(password: str) -> list[str]:
    """The password as keyboards of different systems write it: the form that is stored first, then the others.

    Passwords that were set before there was one form are stored in the form they came in.
    """
    return list(dict.fromkeys([stored_password(password), password, unicodedata.normalize("NFD", password)]))


def stored_password(password: str) -> str:
    """The form a new password is hashed in: NFC with plain spaces (OpaqueString of RFC 8265)."""
    plain = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", plain)
