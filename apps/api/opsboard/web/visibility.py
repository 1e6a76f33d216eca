"""Contact details each role may see: declared by each area, enforced by its SQL (`sees_addresses`).

Everything else that a role may not see is not answered to it at all: see `only_for` at each view. docs/roles.md is the
table of all areas for people; tests/contract/test_visibility.py walks all routes with it.
"""

from __future__ import annotations

from typing import NamedTuple


class Addresses(NamedTuple):
    """The members of an area that are null for an operator, except in what is their own."""

    members: tuple[str, ...]
    own: str = ""
