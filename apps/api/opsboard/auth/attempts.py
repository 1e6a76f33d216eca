"""Slow down guessing: failed sign-ins are counted by the database, for all workers together."""

from __future__ import annotations

import ipaddress
import math
from hashlib import blake2b
from typing import Any, NamedTuple

from opsboard.db.database import Database
from opsboard.db.queries import load_queries

sql = load_queries(__package__)

WINDOW = 300  # seconds
# While an account is guessed at from everywhere (this many times the limit), a place gets fewer attempts.
SPREAD = 10
FEWER = 2
UNLIMITED = 2**31 - 1


class Attempt(NamedTuple):
    """One attempt: whether the password may be checked, else how long to wait and whether that is news."""

    account: str
    place: str
    is_allowed: bool
    retry_after: int  # seconds
    is_first_refusal: bool


class Attempts:
    """At most `limit` failed sign-ins per account and place in five minutes.

    A place is an address (of IPv6 its /64, which one customer has) or a device on which this account has signed in
    before. So nobody can lock the real user out: wherever they come from, they have attempts of their own. Guessing
    from very many addresses leaves each of them two attempts instead of ten.
    """

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit

    def begin(self, email: str, address: str, device: str | None) -> Attempt:
        """Count an attempt before its password is checked: two at the same moment cannot both be the last."""
        account = digest("account", email)
        place = digest("device", email, device) if device else digest("address", email, network_of(address))
        row = self._database.fetch_unbound(
            sql.begin_attempt,
            {
                "account": account,
                "place": place,
                "unlocked": digest("unlocked", email),
                "most": self._limit,
                "spread": UNLIMITED if device else SPREAD * self._limit,
                "fewer": min(FEWER, self._limit),
                "window": WINDOW,
            },
        )
        is_allowed, seconds, is_first = row or (True, 0, False)
        return Attempt(account, place, is_allowed, max(1, math.ceil(seconds or 1)), is_first)

    def failed(self, attempt: Attempt) -> None:
        """The password was wrong."""
        self._database.fetch_unbound(sql.count_failure, {"account": attempt.account, "window": WINDOW})

    def succeeded(self, attempt: Attempt) -> None:
        """Reset the count of a place after a correct password."""
        self._database.fetch_unbound(sql.forget_attempt, {"place": attempt.place})

    def unlock(self, email: str) -> None:
        """Every place may try again as if there had been no wrong password."""
        self._database.fetch_unbound(sql.unlock_account, unlocking(email))


def unlocking(email: str) -> dict[str, Any]:
    """The parameters of `unlock_account`."""
    return {"account": digest("account", email), "unlocked": digest("unlocked", email), "window": WINDOW}


def network_of(address: str) -> str:
    """Return the network that attempts are counted for: an IPv4 address, the /64 of an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def digest(*parts: str) -> str:
    """A short stand-in: nothing personal is stored."""
    text = "\0".join(part.lower() for part in parts)
    return blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
