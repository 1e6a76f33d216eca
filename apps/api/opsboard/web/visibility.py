"""Contact details each role may see. The SQL of each area enforces this table (`sees_addresses`).

Everything else that a role may not see is not answered to it at all: see `only_for` at each view. docs/roles.md is the
same table for people; tests/contract/test_visibility.py walks all routes with it.
"""

from __future__ import annotations

from typing import NamedTuple


class Addresses(NamedTuple):
    """The members of an area that are null for an operator, except in what is their own."""

    area: str
    members: tuple[str, ...]
    own: str


ADDRESSES = (
    Addresses(
        "leads", ("email", "phone"), "leads assigned to them, or claimed by them until the claim runs out"
    ),
    Addresses("customers", ("email", "phone", "address"), ""),
    Addresses("contacts", ("email", "phone"), ""),
    Addresses("calls", ("from_number", "to_number"), "calls they made or took"),
    Addresses("conversations", ("from_number", "to_number"), ""),
    Addresses("campaigns", ("address",), ""),
    Addresses("journeys", ("recipient",), ""),
)
