"""The source of each column of a table, and the remarks about its values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from opsboard.imports.guess import words
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import CLOCK, DURATION, EMAIL, WORDS_OF_BOOLEAN, Facts
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.target import Column, Target
from opsboard.text import email_address, recipient_address

# A column with more different values is no status.
MOST_WORDS = 60
LEAST_LIKENESS = 3.0
DEFAULTS = {
    "priority": "normal",
    "quantity": "1",
    "duration_seconds": "0",
    "quantity_done": "0",
    "quantity_good": "0",
    "quantity_rejected": "0",
}
# A text column that a key or a number would not explain.
BEGINNINGS = ("created_at", "started_at", "scraped_at")
NAMES = frozenset({"name", "full_name", "title", "source", "category", "topic", "segment"})


@dataclass
class Given:
    """The mapping of one column."""

    value: Any
    note: str = ""
    # Not sure enough, or not without faults: written as a comment.
    is_off: bool = False


def matches(seen: SeenFile, target: Target) -> dict[str, tuple[Facts, float]]:
    """Each column of a table with the column of the file that is most like it, and how much."""
    phrases = words.COLUMNS.get(target.table, {})
    scored = [
        (likeness, -position, column.name, facts)
        for column in target.columns
        for position, facts in enumerate(seen.columns)
        if (likeness := words.likeness(facts.name, _phrases(column, phrases))) >= LEAST_LIKENESS
        and facts.filled
        and _may_be(column, facts, likeness)
        and not (column.name in BEGINNINGS and words.likeness(facts.name, words.NOT_CREATED) > 0)
    ]
    found: dict[str, tuple[Facts, float]] = {}
    used: set[str] = set()
    for likeness, _, name, facts in sorted(scored, key=lambda one: one[:2], reverse=True):
        if name not in found and facts.name not in used:
            found[name] = facts, likeness
            used.add(facts.name)
    return found


def is_object(text: str) -> bool:
    """Return True if a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _phrases(column: Column, phrases: dict[str, str]) -> str:
    return f"{column.name.replace('_', '-')} {phrases.get(column.name, '')}"


def _may_be(column: Column, facts: Facts, likeness: float) -> bool:
    """Return True if the values are of the kind of the column; which of them do not fit shows later."""
    if column.kind in ("date", "timestamp"):
        return bool(formats_of(facts)[0])
    if column.kind == "changes":
        return False
    if column.kind == "members":
        return facts.all_fit(is_object)
    if column.kind == "integer":
        return facts.is_number
    if column.kind == "seconds":
        return facts.all_are(DURATION) or facts.is_number
    if column.kind == "time":
        return facts.all_are(CLOCK)
    if column.kind == "boolean":
        return facts.is_boolean or facts.all_fit(lambda value: _truth(value) is not None)
    if column.address:
        return any(map(EMAIL.fullmatch, facts.values)) or (column.address == "recipient" and facts.is_number)
    if column.one_of:
        return len(facts.values) <= MOST_WORDS and (
            likeness >= 7 or any(_state(one, column) for one in facts.values)
        )
    if column.name in ("from_number", "to_number") and (facts.all_are(CLOCK) or formats_of(facts)[0]):
        return False
    if column.name in NAMES and (
        facts.is_number or facts.is_boolean or formats_of(facts)[0] or facts.all_are(CLOCK)
    ):
        return False
    return not facts.all_are(EMAIL)


def given(seen: SeenFile, column: Column, facts: Facts, likeness: float) -> Given | None:
    """The column filled from this one, with what its values need; None when it can hardly be meant."""
    text = placeholder(facts.name)
    factor = factor_of(column, facts)
    found = Given({"value": text, "times": factor} if factor else text)
    if column.one_of:
        found = _states(column, facts, text)
    elif column.kind == "boolean" and not facts.is_boolean:
        found = Given({"value": text, "values": {value: _truth(value) for value in facts.values}})
    elif unfit := facts.unfit(_fits(seen, column, factor)):
        if likeness < 7:
            return None
        shown = ", ".join(map(repr, unfit[:3]))
        return Given(text, f"left out: {len(unfit)} values do not fit, as {shown}", is_off=True)
    if column.kind in ("date", "timestamp") and formats_of(facts)[1]:
        found.note = "unsure: day and month could be the other way round"
    if likeness < 7 and not found.note:
        found.note = "unsure: its name is only like that"
    if not facts.is_complete(seen.rows) and not column.nullable:
        _fill_gaps(found, column, seen.rows - facts.filled)
    return found


def _fill_gaps(found: Given, column: Column, empty: int) -> None:
    default = DEFAULTS.get(column.name) or (column.one_of[0] if column.one_of else "")
    if default:
        found.value = {
            **(found.value if isinstance(found.value, dict) else {"value": found.value}),
            "default": default,
        }
    elif not column.required:
        found.note, found.is_off = f"left out: empty in {empty:,} lines", True


def factor_of(column: Column, facts: Facts) -> int | None:
    """How many minutes or seconds one of the file's hours or minutes are, as its name says."""
    per_hour = {"setup_minutes": 60, "seconds_per_piece": 3600}.get(column.name)
    names = set(words.tokens(facts.name))
    if per_hour and names & {"h", "hour", "hours", "std", "stunden", "heures"}:
        return per_hour
    return (
        60 if column.name == "seconds_per_piece" and names & {"min", "minute", "minutes", "minuten"} else None
    )


def _fits(seen: SeenFile, column: Column, factor: int | None) -> Callable[[str], bool]:
    if column.kind in ("integer", "seconds"):
        numbers = re.compile(replace(seen.file.numbers, factor=factor).pattern, re.IGNORECASE)

        def is_number(value: str) -> bool:
            if column.kind == "seconds" and DURATION.fullmatch(value):
                return True
            found = numbers.match(value)
            return found is not None and column.least <= int(re.sub(r"[^0-9+-]", "", found[1])) <= column.most

        return is_number
    if column.address:
        check = email_address if column.address == "email" else recipient_address
        return lambda value: _is_valid(check, value)
    longest = column.longest
    return lambda value: longest is None or len(value) <= longest


def _is_valid(check: Callable[[str], object], value: str) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True


def _states(column: Column, facts: Facts, text: str) -> Given:
    """A word for each word of the file; those that none is known for become the most likely one."""
    values = {value: _state(value, column) for value, _ in facts.values.most_common()}
    if all(value == state for value, state in values.items()):
        return Given(text)
    unknown = [value for value, state in values.items() if state is None]
    known = {value: state for value, state in values.items() if state}
    found: dict[str, Any] = {"value": text, "values": known} if known else {"value": text, "values": {}}
    if not unknown:
        return Given(found)
    otherwise = DEFAULTS.get(column.name, column.one_of[0])
    if not known:
        found["values"] = {unknown[0]: otherwise}
    found["otherwise"] = otherwise
    return Given(found, "unsure: no word is known for " + ", ".join(map(repr, unknown[:5])))


def _truth(value: str) -> str | None:
    """Return the translation of a word of another language."""
    if value.lower() in WORDS_OF_BOOLEAN:
        return "true" if value.lower() in ("true", "t", "yes", "y", "1", "on") else "false"
    for meaning, phrases in (("true", words.IS_TRUE), ("false", words.IS_FALSE)):
        if words.likeness(value, phrases) > 9:
            return meaning
    return None


def _state(value: str, column: Column) -> str | None:
    if value in column.one_of:
        return value
    best, best_likeness = None, 5.0
    for state in column.one_of:
        likeness = words.likeness(value, f"{state.replace('_', '-')} {words.STATES.get(state, '')}")
        if likeness > best_likeness:
            best, best_likeness = state, likeness
    return best


def placeholder(name: str) -> str:
    return "{" + name + "}"


def can_be_named(facts: Facts) -> bool:
    """A template cannot name a column with a brace in its name."""
    return not set("{}") & set(facts.name)


def clock_beside(seen: SeenFile, facts: Facts) -> Facts | None:
    """The column with the time of day that belongs to one of days."""
    if not all(len(value) <= 10 and ":" not in value for value in facts.values):
        return None
    after = [one for one in seen.columns if one.all_are(CLOCK) and not one.all_are(DURATION)] or [
        one
        for one in seen.columns
        if one.all_are(CLOCK) and words.likeness(one.name, "time uhrzeit zeit hour heure hora")
    ]
    near = [
        one for one in after if 0 < abs(one.position - facts.position) <= 2 and one.is_complete(facts.filled)
    ]
    return near[0] if near else None
