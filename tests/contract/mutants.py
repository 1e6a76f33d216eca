"""The wall between businesses with one brick taken out: each predicate, each part of each key, each policy."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from types import CodeType, FunctionType, ModuleType
from typing import Any

from opsboard.db.queries import Queries, Query, parse, shared_fragments, split
from tests.contract.catalogue import PACKAGES

PREDICATE = re.compile(
    r"\b\w+\.tenant_id = %\(tenant_id\)s|\b\w+\.id = %\(tenant_id\)s|(?<=rollup_counts\()%\(tenant_id\)s"
    r"|(?<=rollup_differences\()%\(tenant_id\)s"
)


def files_without_one_predicate() -> Iterator[tuple[str, dict[str, Query]]]:
    """Each .sql file once for each of its predicates: where it was, and the queries of its area without it."""
    for package in PACKAGES:
        area = package.rpartition(".")[2]
        texts = {
            file.name: file.read_text(encoding="utf-8")
            for file in sorted(files(package).iterdir(), key=lambda file: file.name)
            if file.name.endswith(".sql")
        }
        for name, text in texts.items():
            for found in PREDICATE.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                gone = text[: found.start()] + "true" + text[found.end() :]
                yield f"{area}/{name}:{line} {found[0]}", queries_of(package, {**texts, name: gone})


def queries_of(package: str, texts: dict[str, str]) -> dict[str, Query]:
    """The queries of these files, which may include fragments of each other."""
    fragments = shared_fragments(package)
    for text in texts.values():
        fragments |= split(text)[0]
    area = package.rpartition(".")[2]
    return {
        query: found
        for name, text in texts.items()
        for query, found in parse(area, text, name, fragments).items()
    }


@contextmanager
def changed(module: ModuleType, old: str, new: str) -> Iterator[None]:
    """The functions of a module as if its text said something else in that one place."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{module.__name__} says {old!r} {source.count(old)} times"
    assert old.count("\n") == new.count("\n")
    codes = dict(codes_of(compile(source.replace(old, new), module.__file__ or "", "exec")))
    before = []
    for function in functions_of(module):
        code = codes.get(function.__qualname__)
        if code is not None and code != function.__code__:
            before.append((function, function.__code__))
            function.__code__ = code
    assert before, f"{old!r} is in no function of {module.__name__}"
    try:
        yield
    finally:
        for function, code in before:
            function.__code__ = code


def codes_of(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part.co_qualname, part
            yield from codes_of(part)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    for thing in vars(module).values():
        members = vars(thing).values() if isinstance(thing, type) else [thing]
        for member in members:
            function = member.fget if isinstance(member, property) else member
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                yield function


@contextmanager
def changed_query(queries: Queries, name: str, old: str) -> Iterator[None]:
    """A query without one of its conditions."""
    kept: dict[str, Any] = queries._queries
    query = kept[name]
    assert query.sql.count(old) == 1
    kept[name] = replace(query, sql=query.sql.replace(old, "true"))
    try:
        yield
    finally:
        kept[name] = query
