"""Which table each file fills, and by which column its rows are known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, can_be_named, matches, placeholder
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import EMAIL, Facts
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.target import LONGEST_EXTERNAL_ID, OWN_FIELDS, Target
from opsboard.imports.targets import TARGETS

# Columns that many tables have tell little about which one it is.
COMMON = frozenset(
    {
        "name",
        "full_name",
        "email",
        "phone",
        "address",
        "status",
        "created_at",
        "title",
        "description",
        "is_active",
    }
    | {"started_at", "completed_at", "notes", "subject", "body", "kind", "link", "note"}
)
LEAST = 6.0
OF_NAME = 9.0
# Of a file that is alone in its folder: it is meant to fill something.
LEAST_OF_ONE = 1.5
OF_NEEDED = 3.0
# Values that count something: #1001, A-17.
NUMBERED = re.compile(r"#?[A-Za-z]{0,6}[-_/ ]?[0-9]{1,12}")
# Of an export of ours: other lists have columns of the same names too.
LEAST_COVERAGE = 0.5
ENTITY = {"leads": "mql lead", "jobs": "job order case ticket incident", "users": "employee user agent"}


@dataclass
class Part:
    """One `[tables.*]` of the mapping."""

    name: str
    target: Target
    seen: SeenFile
    # The column that rows are known by; None: the number of the line.
    key: Facts | None
    external_id: str
    distinct: str = ""
    columns: dict[str, Given] = field(default_factory=dict)
    parents: dict[str, Given] = field(default_factory=dict)
    lookups: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    numbered_by: str = ""
    where: dict[str, str] = field(default_factory=dict)
    each: list[str] = field(default_factory=list)
    items: str = ""
    # The files of its look-ups.
    lookup_files: dict[str, SeenFile] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.target.table


# Filled from lists that say more, or by hand.
NOT_GUESSED = ("approval_queue", "approval_history", "role_process_permissions")

# Tables that nothing is taken for without this column. A file of scrap reasons does not say that they are of rejects.
NEEDED = {"reasons": "kind", "working_hours": "weekday", "holidays": "first_day"}


def scores(seen: SeenFile, beside: str, without: tuple[str, ...] = ()) -> dict[str, float]:
    """How much a file is like each table; `beside` is the name of its folder, where its own says nothing."""
    found: dict[str, float] = {}
    for target in TARGETS.values():
        if target.table in (*NOT_GUESSED, *without):
            continue
        score = OF_NAME * (_likeness_of_name(seen, target) or 0.6 * _named(beside, target))
        for name, (_, likeness) in matches(seen, target).items():
            # Every table has them: they tell nothing.
            if name == OWN_FIELDS.name:
                continue
            exact = likeness > 9.9
            score += likeness / 10 * (1.0 if name in COMMON else 2.5) * (1.3 if exact else 1.0)
        # Its own words for its parents.
        score += sum(
            1.0
            for parent in target.parents
            if any(words.likeness(one.name, f"{parent.name}-id {parent.name}") > 8 for one in seen.columns)
        )
        if any(parent.required for parent in target.parents) and not _may_belong(seen, target):
            score = 0.0
        needed = NEEDED.get(target.table)
        if needed and all(one.name.lower() != needed for one in seen.columns):
            continue
        found[target.table] = score
        if (share := coverage(seen, target)) is not None:
            found[target.table] = score + 40 * share if share >= LEAST_COVERAGE else 0.0
    if is_event_log(seen):
        found["jobs"] += LEAST
    return found


def is_called(seen: SeenFile, target: Target) -> bool:
    """Return True if the name of a file, or of a sheet, is a word for the table."""
    return _likeness_of_name(seen, target) > 0


def _likeness_of_name(seen: SeenFile, target: Target) -> float:
    sheet = seen.settings.get("sheet", "")
    return max(_named(seen.stem, target), 1.1 * _named(sheet, target) if sheet else 0.0)


def _named(name: str, target: Target) -> float:
    best = 0.0
    tokens = [token for token in words.tokens(name) if not token.isdecimal() and len(token) > 1]
    joined = "".join(tokens)
    for word in [*words.TABLES[target.table].split(), target.table.replace("_", "-")]:
        whole = word.replace("-", "")
        if words.singular(joined) == words.singular(whole):
            return 1.5
        for place, token in enumerate(tokens):
            if words.singular(token) == words.singular(whole):
                best = max(best, 1.0 + 0.2 * (place == len(tokens) - 1))
            elif len(whole) >= 5 and token.endswith((whole, words.singular(whole))):
                best = max(best, 0.8)
        if len(whole) >= 8 and whole in joined:
            best = max(best, 1.1)
    return best


def _may_belong(seen: SeenFile, target: Target) -> bool:
    """Return True if a row says which one it belongs to, as a step its job."""
    if not seen.has_header or target.table == "campaign_recipients":
        return True
    return all(
        any(
            words.likeness(one.name, f"{parent.name}-id {words.PARENTS.get(parent.name, '')}") > 3
            for one in seen.columns
        )
        for parent in target.parents
        if parent.required
    )


def _is_of_person(facts: Facts) -> bool:
    return words.likeness(facts.name, f"{words.FIRST_NAME} {words.LAST_NAME} {words.MIDDLE_NAME}") > 7


def is_event_log(seen: SeenFile) -> bool:
    """One line for each thing that happened: a key that comes again, what it was, and when."""
    return (
        any(words.likeness(one.name, words.ACTIVITY) >= 9 for one in seen.columns)
        and any(words.likeness(one.name, words.MOMENT) >= 7 and formats_of(one)[0] for one in seen.columns)
        and any(
            words.likeness(one.name, words.KEY) > 4
            and one.is_complete(seen.rows)
            and one.distinct * 1.5 < seen.rows
            for one in seen.columns
        )
    )


def coverage(seen: SeenFile, target: Target) -> float | None:
    """How many columns and parents of a table an export of ours has by their very names; None when it is none."""
    if not seen.is_export:
        return None
    names = {one.name for one in seen.columns}
    needed = [column.name for column in target.columns if column.required]
    needed += [f"{parent.name}.id" for parent in target.parents if parent.required]
    own = [column.name for column in target.columns if column is not OWN_FIELDS]
    own += [f"{parent.name}.id" for parent in target.parents]
    return sum(name in names for name in own) / len(own) if names.issuperset(needed) else 0.0


def best_table(
    seen: SeenFile, beside: str, without: tuple[str, ...] = (), least: float = LEAST
) -> str | None:
    found = scores(seen, beside, without)
    if least < LEAST:
        for target in TARGETS.values():
            needed = {column.name for column in target.columns if column.required}
            if needed and target.table not in without and needed <= matches(seen, target).keys():
                found[target.table] = found.get(target.table, 0.0) + OF_NEEDED
    table = max(found, key=lambda name: found[name])
    return table if found[table] >= least else None


def part_for(seen: SeenFile, table: str, taken: list[str]) -> Part:
    """The part of the mapping that fills a table from a file; columns and parents are still to come."""
    name = table if table not in taken else f"{table}_of_{seen.name}"
    key = key_of(seen, TARGETS[table])
    part = Part(name, TARGETS[table], seen, key, placeholder(key.name) if key else "{#line}")
    if key is None:
        part.notes.append("no column is a key: a row is known by its line, so lines must keep their places")
    elif not key.is_unique:
        part.distinct = "last"
        part.notes.append(f"{key.name} occurs more than once: the last line of each counts")
    return part


def key_of(seen: SeenFile, target: Target) -> Facts | None:
    """The column that tells rows apart: one that is called so, or the first that is different in each row."""
    columns = [
        one
        for one in seen.columns
        if one.is_complete(seen.rows) and one.longest <= LONGEST_EXTERNAL_ID and can_be_named(one)
    ]
    entity = f"{target.singular.replace(' ', '-')} {words.TABLES[target.table]} {ENTITY.get(target.table, '')}".split()
    named = " ".join(f"{name}-{key}" for name in entity for key in words.KEY.split())
    own = [one for one in columns if words.likeness(one.name, f"{words.KEY} {named}") > 0]
    unique = [one for one in own if one.is_unique]
    if unique:
        return max(unique, key=lambda one: (words.likeness(one.name, f"id {named}") > 8, -one.position))
    if all(one.name[:1] == "c" for one in columns) and not seen.has_header:
        return next((one for one in columns if one.is_unique), None)
    called = [one for one in columns if one.is_unique and words.likeness(one.name, " ".join(entity)) > 8]
    if called:
        return called[0]
    repeated = [
        one for one in own if one.distinct > 1 and words.likeness(one.name, f"number case-id {named}") > 4
    ]
    if repeated and target.table in ("jobs", "leads", "customers", "users", "machines", "response_approvals"):
        return min(repeated, key=lambda one: one.position)
    first = columns[0] if columns and columns[0].position == 0 else None
    if first and target.table == "jobs" and 1 < first.distinct < seen.rows and first.all_are(NUMBERED):
        return first
    if target.begins:
        # Work and stops have no names: a cause that occurs once is no key.
        return None
    texts = [
        one
        for one in columns
        if one.is_unique
        and one.longest <= 100
        and (one.all_are(EMAIL) or (one.is_words and not formats_of(one)[0] and not _is_of_person(one)))
    ]
    return min(texts, key=lambda one: one.position, default=None)
