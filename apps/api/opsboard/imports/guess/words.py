"""How like a name in a file is to the words by which tables, columns and states are called: words.toml."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib.resources import files

_WORDS = tomllib.loads((files(__package__) / "words.toml").read_text(encoding="utf-8"))
KEY: str = _WORDS["key"]
# Of an event log, one line for each thing that happened: what it was and when.
ACTIVITY: str = _WORDS["activity"]
MOMENT: str = _WORDS["moment"]
FIRST_NAME: str = _WORDS["first_name"]
MIDDLE_NAME: str = _WORDS["middle_name"]
LAST_NAME: str = _WORDS["last_name"]
NOT_CREATED: str = _WORDS["not_created"]
IS_TRUE: str = _WORDS["is_true"]
IS_FALSE: str = _WORDS["is_false"]
TABLES: dict[str, str] = _WORDS["tables"]
PARENTS: dict[str, str] = _WORDS["parents"]
STATES: dict[str, str] = _WORDS["states"]
COLUMNS: dict[str, dict[str, str]] = _WORDS["columns"]

# Endings of more than one.
PLURALS = re.compile(r"(?<=\w{3})(ies|es|s|n|en)$")


def tokens(text: str) -> list[str]:
    """The words of a name: "StartDate", "start_date" and "Start date" are the same."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text.replace("ß", "ss"))
    for umlaut, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        text = unicodedata.normalize("NFC", text).replace(umlaut, written)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z]+|[0-9]+", plain)


def likeness(name: str, phrases: str) -> float:
    """Return how well a name matches one of the phrases: 0 not at all, 10 exactly."""
    words = tokens(name)
    joined = "".join(words)
    best = 0.0
    for place, phrase in enumerate(phrases.split()):
        parts = phrase.split("-")
        whole = "".join(parts)
        if joined == whole:
            score = 10.0
        elif len(whole) > 3 and singular(joined) == singular(whole):
            score = 9.0
        elif set(parts) <= set(words):
            score = 7.0 - min(4, len(words) - len(parts))
        elif len(whole) >= 5 and (joined.startswith(whole) or joined.endswith(whole)):
            score = 3.0
        else:
            continue
        best = max(best, score - place / 100)
    return best


def singular(word: str) -> str:
    return PLURALS.sub("", word)
