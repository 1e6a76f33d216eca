"""Docs, docstrings, comments, the page, the command line and the API use no retired words."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from opsboard.cli import opsboard
from tests.application import Application

ROOT = Path(__file__).parents[2]
# Retired word -> the term to use.
RETIRED = {
    r"the pulse|pulses": "the change feed",
    r"upkeep": "maintenance",
    r"deaf(ness)?": "stale",
    r"vouch(es|ed)?": "is valid for",
    r"mourn(s|ed|ing)?": "silent grace",
    r"the long way": "the slow path",
    r"the front": "the fast path",
    r"lends?|lent|lending": "check out",
    r"foret(ell|ells|elling|old)": "predict",
    r"who(so)?ever|whomever": "the caller, a client, everyone who",
    r"obey(s|ed|ing)?": "carry out",
    r"unheard": "not read yet",
    r"kept (answers?|bod(y|ies))": "cached answer",
    r"take[ns]? away accounts?|blocked (people|persons|users|accounts)": "deactivate",
}
PATTERN = re.compile(r"\b(" + "|".join(f"(?:{word})" for word in RETIRED) + r")\b", re.IGNORECASE)
OPENING = re.compile(r"^\s*(#|--|//|/?\*+|\"{3}|<!--)\s*(What|Who|Whether|Whoever)\b")
# Frozen by their checksums (migrations/released.sha256), or not text of this project.
SKIPPED = re.compile(r"^migrations/00[0-2]\d_|^uv\.lock$|\.(svg|png|gz|json|csv|ico)$|^LICENSE$")
COMMENTS = {
    ".sql": "--",
    ".js": "//",
    ".toml": "#",
    ".conf": "#",
    ".yml": "#",
    ".ini": "#",
    ".sh": "#",
    ".cfg": "#",
}
WHOLE = {".md", ".html", ".css", ".js", ".example"}


def files() -> Iterator[Path]:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in tracked:
        path = ROOT / name
        if name and not SKIPPED.search(name) and path != Path(__file__) and path.is_file():
            yield path


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each comment, docstring and other string."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def texts(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text(encoding="utf-8", errors="ignore")
    if not PATTERN.search(source):
        return
    if path.suffix == ".py":
        yield from python_texts(source)
        return
    marker = COMMENTS.get(path.suffix)
    for number, line in enumerate(source.splitlines(), 1):
        if path.suffix in WHOLE:
            yield number, line
        elif marker and marker in line:
            yield number, line.partition(marker)[2]


def retired_in(text: str) -> list[str]:
    return [match[0] for match in PATTERN.finditer(text)]


def test_the_check_finds_each_retired_word() -> None:
    for text in (
        "The pulse is late.",
        "on the long way",
        "Kept answers end",
        "was foretold",
        "Whoever asks",
        "is deaf",
    ):
        assert retired_in(text), text
    assert retired_in("the frontend asks, and a heartbeat tells") == []
    ast.parse(source := '"""Whoever."""\nx = "upkeep"  # obeyed\n')
    assert [word for _, text in python_texts(source) for word in retired_in(text)] == [
        "Whoever",
        "upkeep",
        "obeyed",
    ]


def test_no_retired_word_is_in_the_tree() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in files()
        for number, text in texts(path)
        for word in retired_in(text)
    ]
    assert found == []


def test_no_retired_word_is_in_the_api_document(app: Application) -> None:
    document = app.flask.test_client().get("/api/openapi.json").get_data(as_text=True)
    assert retired_in(document) == []


def commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None
            yield from commands(member)


def test_no_retired_word_is_in_the_help_of_a_command() -> None:
    helps = [command.get_help(click.Context(command)) for command in commands(opsboard)]
    assert len(helps) > 20
    assert [word for text in helps for word in retired_in(text)] == []


@pytest.mark.parametrize("most", [19])
def test_comments_begin_with_their_subject(most: int) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        if path.suffix != ".md"
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1)
        if OPENING.match(line)
    ]
    assert len(found) <= most, found
