"""Items as lines of CSV (RFC 4180) that a spreadsheet shows and does not execute."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

# A cell that begins with one of these is a formula to a spreadsheet; behind an apostrophe it is text (OWASP, CSV
# Injection). Wide and small forms of them are the same to some programs.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Characters that programs skip before a formula: control and format characters, a byte order mark, other spaces
# than the plain one, behind which every spreadsheet sees a text.
PASSED_OVER = ("Z", "C")

Path = tuple[str, ...]


class Exact(float):
    """A number as it was written: 12.50 stays 12.50."""

    text: str

    def __new__(cls, text: str) -> Exact:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


def columns(item: type[BaseModel] | None, fields: Sequence[str]) -> list[Path]:
    """One column for each field, and for one that is an object itself one for each of its members."""
    found: list[Path] = []
    for name in fields:
        inner = object_of(item.model_fields[name].annotation) if item and name in item.model_fields else None
        found += [(name, *rest) for rest in columns(inner, list(inner.model_fields))] if inner else [(name,)]
    return found


def object_of(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model` and in `Model | None`."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return models[0] if models else None


def header(paths: Iterable[Path], in_words: bool = False) -> str:
    """The first line: `customer.name`, or in words `Customer: name`."""
    return lines([heading(path) if in_words else ".".join(path) for path in paths] for _ in range(1))


def heading(path: Path) -> str:
    words = ": ".join(name.replace("_", " ") for name in path)
    return words[:1].upper() + words[1:]


def rows(paths: Sequence[Path]) -> Callable[[list[str]], str]:
    """Return a function that makes lines from items given as JSON texts."""
    parse = json.JSONDecoder(parse_float=Exact).decode

    def made(items: list[str]) -> str:
        return lines([cell(at(item, path)) for path in paths] for item in map(parse, items))

    return made


def at(item: Any, path: Path) -> Any:
    for name in path:
        if item is None:
            return None
        item = item[name]
    return item


def cell(value: Any) -> str:
    """A value as text: nothing for null, numbers as they are, JSON for what has parts."""
    if isinstance(value, str):
        return guard(value)
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def guard(text: str) -> str:
    """The text as a spreadsheet shows it and does not execute it; unguard() gives it back."""
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def unguard(text: str) -> str:
    """The text that guard() was given."""
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    if text.startswith(FORMULAS):
        return True
    text = text.lstrip(" ")
    # Most texts begin with a letter or a digit, and those cost one look.
    if not text or text[0].isalnum() or text.startswith(FORMULAS):
        return False
    for character in text:
        if unicodedata.category(character)[0] not in PASSED_OVER:
            return unicodedata.normalize("NFKC", character).startswith(FORMULAS)
    return False


def lines(cells: Iterable[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(cells)
    return text.getvalue()
