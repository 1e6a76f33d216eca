"""Finds the members of an answer, or of a list's item, in its SQL: to give some of them and make no others."""

from __future__ import annotations

import re
from collections.abc import Iterator

CLOSED = re.compile(r"\)\s*AS item\b")
ANSWER = re.compile(r"\)::text\b")
SELECTED = re.compile(r"SELECT\s+json_build_object\($")
NAME = re.compile(r"'(\w+)'")
# Tokens that must not be split: strings, quoted names, comments.
WHOLE = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)


def item_members(sql: str) -> tuple[int, int, dict[str, str]]:
    """Return the span of the arguments of `json_build_object(...) AS item`, and each member's name and expression.

    Raises ValueError when there is no such item, or a name in it is not written out.
    """
    end = CLOSED.search(sql)
    begin = end and next(starts(sql, end.start()), None)
    if end is None or begin is None:
        raise ValueError("an item must be json_build_object('name', expression, ...) AS item")
    return begin, end.start(), members(sql[begin : end.start()])


def answer_members(sql: str) -> tuple[int, int, dict[str, str]]:
    """The same of the `SELECT json_build_object(...)::text` that a statement answers with.

    Raises ValueError when it answers with something else.
    """
    for end in ANSWER.finditer(sql):
        for begin in starts(sql, end.start()):
            if SELECTED.search(sql[:begin]):
                return begin, end.start(), members(sql[begin : end.start()])
    raise ValueError("an answer must be SELECT json_build_object('name', expression, ...)::text")


def members(sql: str) -> dict[str, str]:
    """The arguments of a json_build_object."""
    parts = [without_comments(part) for part in arguments(sql)]
    names = [NAME.fullmatch(part) for part in parts[::2]]
    if len(parts) % 2 or not all(names):
        raise ValueError("the names of members must be written out: 'name', expression")
    return {name[1]: part for name, part in zip(names, parts[1::2], strict=True) if name}


def without_comments(sql: str) -> str:
    return WHOLE.sub(lambda found: "" if found[0].startswith(("--", "/*")) else found[0], sql).strip()


def starts(sql: str, end: int) -> Iterator[int]:
    """Return the start of the arguments of the call that closes at `end`."""
    for found in re.finditer(r"\bjson_build_object\(", sql[:end]):
        if all(depth > 0 for _, depth, _ in scan(sql[found.end() : end], 1)):
            yield found.end()


def arguments(text: str) -> Iterator[str]:
    """The text cut at the commas outside of all parentheses."""
    begin = 0
    for at, depth, character in scan(text, 0):
        if character == "," and depth == 0:
            yield text[begin:at]
            begin = at + 1
    if text[begin:].strip():
        yield text[begin:]


def scan(text: str, depth: int) -> Iterator[tuple[int, int, str]]:
    """Each comma and parenthesis outside of texts and comments, with the depth it leaves behind."""
    plain = WHOLE.sub(lambda found: " " * len(found[0]), text)
    for found in re.finditer(r"[(),]", plain):
        depth += {"(": 1, ")": -1, ",": 0}[found[0]]
        yield found.start(), depth, found[0]
