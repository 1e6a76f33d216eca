"""Texts with columns in braces: "{Name}", or "WO-{Number}" with a text around it, or "normal", a constant."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# In place of a column: the number of the line, for files whose lines have no key.
LINE = "#line"
# The place of a line among those of the same key, from 1.
PLACE = "#n"
# Of a table with `each`: the value a row is made for, and the name of the column it is in.
EACH = "#each"
COLUMN = "#column"
# Of a table with `items`: a member of the item a row is made for, "#item.name", or all of it.
ITEM = "#item"
PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


class Placeholder(NamedTuple):
    """A column in braces; "Product.Name" is the column Name of the look-up Product."""

    name: str


Parts = tuple[str | Placeholder, ...]


@lru_cache(maxsize=1024)
def parse(template: str) -> Parts:
    """The pieces of a template in order. Raises ValueError when a brace is open or empty."""
    parts: list[str | Placeholder] = []
    for match in PART.finditer(template):
        if match.group() in ("{", "}"):
            raise ValueError(f"has a single {match.group()}; write it twice to mean the character")
        if match.group(1) is None:
            parts.append({"{{": "{", "}}": "}"}.get(match.group(), match.group()))
        elif match.group(1).strip():
            parts.append(Placeholder(match.group(1)))
        else:
            raise ValueError("has {} with no column name between")
    return tuple(parts)


def is_of_item(name: str) -> bool:
    """Return True if a placeholder means the item of an array, or a member of it."""
    return name == ITEM or name.startswith(f"{ITEM}.")


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces, in order."""
    return tuple(part.name for part in parse(template) if isinstance(part, Placeholder))
