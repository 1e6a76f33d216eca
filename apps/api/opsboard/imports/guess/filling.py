"""Fills the columns of a part of the mapping from its file, and makes up what a row must have."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import (
    Given,
    can_be_named,
    clock_beside,
    given,
    is_object,
    matches,
    placeholder,
)
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import Facts
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.guess.tables import Part
from opsboard.imports.guess.times_of_records import fill_later_dates, out_of_order

SIMPLE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
MADE_UP = {
    ("customers", "name"): "Customer {key}",
    ("processes", "name"): "Process {key}",
    ("machines", "name"): "Machine {key}",
    ("jobs", "job_number"): "{key}",
    ("jobs", "title"): "Job {key}",
    ("job_steps", "step_order"): "{{#n}}",
    ("leads", "name"): "Lead {key}",
    ("campaigns", "name"): "Campaign {key}",
    ("contacts", "name"): "Contact {key}",
    ("response_approvals", "subject"): "Request {key}",
    ("workflows", "name"): "Workflow {key}",
    ("notifications", "kind"): "note",
    ("notifications", "title"): "Note {key}",
    ("suppressions", "channel"): "email",
    ("audit_logs", "action"): "change",
    ("audit_logs", "entity"): "record",
}
# A column so called has the whole name of somebody.
WHOLE_NAME = 9.0
STAGES = {
    "jobs": (("draft", ""), ("active", "started_at"), ("completed", "completed_at")),
    "job_steps": (("pending", ""), ("in_progress", "started_at"), ("completed", "completed_at")),
    "leads": (("new", ""), ("won", "closed_at")),
}


def fill(part: Part) -> None:
    """Give each column of the table what it is filled from."""
    found = matches(part.seen, part.target)
    _title_of_jobs(part, found)
    for column in part.target.columns:
        if column.name in found and can_be_named(found[column.name][0]):
            facts, likeness = found[column.name]
            if facts is part.key and not column.required and column.name not in ("title", "full_name"):
                continue
            value = given(part.seen, column, facts, likeness)
            if value is None:
                continue
            part.columns[column.name] = value
            _with_clock(part, column.name, column.kind, facts)
            if (
                column.name in _unique_columns(part)
                and not (facts.is_unique or part.distinct)
                and column.required
            ):
                del part.columns[column.name]
    _name_in_parts(part, found)
    _first_date(part)
    fill_later_dates(part)
    for column in part.target.columns:
        if column.required:
            _require(part, column.name, found.get(column.name, (None, 0))[0])
        elif column.kind == "changes":
            part.columns[column.name] = _changes(part)
    _times_in_order(part)


def _title_of_jobs(part: Part, found: dict[str, tuple[Facts, float]]) -> None:
    """A short description is the title, where nothing else is."""
    longest = part.target.column("title").longest if part.table == "jobs" else 0
    if "title" not in found and "description" in found and found["description"][0].longest <= (longest or 0):
        found["title"] = found.pop("description")


def _name_in_parts(part: Part, found: dict[str, tuple[Facts, float]]) -> None:
    """Join first and last names, where no column has the whole name."""
    name = next((one.name for one in part.target.columns if one.name in ("full_name", "name")), "")
    if name and found.get(name, (None, 0.0))[1] < WHOLE_NAME and (value := name_in_parts(part.seen, "")):
        part.columns[name] = Given(value)


def name_in_parts(seen: SeenFile, prefix: str) -> dict[str, Any] | None:
    """First, middle and last name as one value; `prefix` is the look-up they are in, with its dot."""
    columns = [
        max(seen.columns, key=lambda one: words.likeness(one.name, phrases))
        for phrases in (words.FIRST_NAME, words.MIDDLE_NAME, words.LAST_NAME)
        if any(words.likeness(one.name, phrases) >= WHOLE_NAME and one.filled for one in seen.columns)
    ]
    if len(columns) < 2 or words.likeness(columns[-1].name, words.LAST_NAME) < WHOLE_NAME:
        return None
    return {"parts": [placeholder(prefix + one.name) for one in columns if can_be_named(one)]}


def _unique_columns(part: Part) -> set[str]:
    return {name for unique in part.target.uniques if len(unique.names) == 1 for name in unique.names}


def _with_clock(part: Part, name: str, kind: str, facts: Facts) -> None:
    """Join a column of days with the one of times beside it."""
    clock = clock_beside(part.seen, facts) if kind == "timestamp" else None
    formats, _ = formats_of(facts)
    if clock is None or part.columns[name].is_off:
        return
    value: Any = f"{placeholder(facts.name)} {placeholder(clock.name)}"
    seconds = ":%S" if any(text.count(":") == 2 for text in clock.values) else ""
    if formats != ["iso"]:
        value = {"value": value, "dates": [f"{one} %H:%M{seconds}" for one in formats]}
    part.columns[name].value = value


def _first_date(part: Part) -> None:
    """Where no column says when a row was entered, the first column of dates does."""
    if "created_at" not in {column.name for column in part.target.columns} or "created_at" in part.columns:
        return
    if part.seen.has_header and part.table not in ("jobs", "leads", "call_log", "response_approvals"):
        return
    for facts in part.seen.columns:
        formats, is_unsure = formats_of(facts)
        if (
            not formats
            or not facts.is_complete(part.seen.rows)
            or words.likeness(facts.name, words.NOT_CREATED) > 0
        ):
            continue
        if any(placeholder(facts.name) in str(one.value) for one in part.columns.values()):
            continue
        note = (
            "unsure: the first column of dates" + "; day and month could be the other way round" * is_unsure
        )
        part.columns["created_at"] = Given(placeholder(facts.name), note)
        return


def _require(part: Part, name: str, facts: Facts | None) -> None:
    """Make up what must not be empty, from the key of the row."""
    made = made_up(part, name)
    now = part.columns.get(name)
    if now is None or now.is_off:
        note = now.note.replace("left out: ", "made up: ") if now else "made up"
        part.columns[name] = Given(made, note if made != part.external_id else "")
    elif (
        facts is not None
        and not facts.is_complete(part.seen.rows)
        and isinstance(now.value, str)
        and (placeholder(facts.name) == now.value)
    ):
        now.value = {"first_of": [now.value, made]}


def made_up(part: Part, name: str) -> str:
    if part.target.column(name).address:
        kind = part.target.singular.split()[-1]
        if part.key is not None and part.key.all_are(SIMPLE_KEY) and part.key.longest < 60:
            return f"{kind}-{part.external_id}@{part.table.replace('_', '-')}.invalid"
        return f"{kind}-{{#line}}@{part.table.replace('_', '-')}.invalid"
    return (
        MADE_UP.get((part.table, name), "{key}").replace("{key}", part.external_id).replace("{{#n}}", "{#n}")
    )


def _changes(part: Part) -> Given:
    objects = [one for one in part.seen.columns if one.name == "changes" and one.all_fit(is_object)]
    if objects:
        return Given(placeholder("changes"))
    column = next((one.name for one in part.seen.columns if can_be_named(one)), "")
    return Given(
        {"differences": {"line": ["", placeholder(column)]}}, "unsure: give the columns that may change"
    )


def _times_in_order(part: Part) -> None:
    """The status by times, where the file has no word for it and they never contradict each other."""
    for names in part.target.in_order:
        times = [name for name in names if name in part.columns and not part.columns[name].is_off]
        for earlier, later in pairwise(times):
            if count := out_of_order(part, earlier, later):
                note = f"before {earlier} in {count:,} lines"
                part.columns[later].note = "; ".join(filter(None, [part.columns[later].note, note]))
    stages = STAGES.get(part.table, ())
    is_told = "status" in part.columns and not part.columns["status"].is_off
    since = [name for _, name in stages if name in part.columns and not part.columns[name].is_off]
    if is_told or not since or any("before" in part.columns[name].note for name in since):
        return
    part.stages = [
        {"status": status, **({"since": name} if name else {})}
        for status, name in stages
        if not name or name in since
    ]
    part.columns.pop("status", None)
