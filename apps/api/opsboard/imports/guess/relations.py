"""References to rows of other tables: by the keys of their files, or rows made of a column that names them."""

from __future__ import annotations

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, can_be_named, placeholder
from opsboard.imports.guess.facts import Facts
from opsboard.imports.guess.filling import made_up
from opsboard.imports.guess.tables import Part, part_for
from opsboard.imports.target import Parent

MOST_OF_WORDS = 500


def add_parents(parts: list[Part]) -> list[Part]:
    """Find the column that names each parent; where no file has the parents, they are made of that column."""
    made: list[Part] = []
    for part in parts:
        for parent in part.target.parents:
            _add_parent(part, parent, parts, made)
    return made


def _add_parent(part: Part, parent: Parent, parts: list[Part], made: list[Part]) -> None:
    if parent.name == "step" and "step" in part.parents:
        return
    phrases = f"{parent.name.replace('_', '-')}-id {words.PARENTS.get(parent.name, '')}"
    near = sorted(
        (
            one
            for one in part.seen.columns
            if one.filled and can_be_named(one) and not (parent.table == "users" and _are_machines(one))
        ),
        key=lambda one: words.likeness(one.name, phrases),
        reverse=True,
    )
    candidates = [
        one
        for one in near
        if one is not part.key
        and (words.likeness(one.name, phrases) >= 3 or (parent.table == "machines" and _are_machines(one)))
    ]
    others = [one for one in [*parts, *made] if one.table == parent.table and one is not part and one.key]
    for other in others:
        assert other.key is not None
        if found := _pointing(part, parent, other, candidates):
            part.parents[parent.name] = found
            return
    for other in others:
        if found := _named(part, other, candidates):
            part.parents[parent.name] = found
            return
    if parent.name in part.parents:
        return
    _make_parent(part, parent, candidates, others, made)


def _are_machines(facts: Facts) -> bool:
    """Return True if most values say that they are machines: "Machine 4", "Station 2"."""
    kinds = {"machine", "maschine", "station", "line", "anlage", "workcenter"}
    named = sum(bool(kinds & set(words.tokens(value))) for value in facts.values)
    return facts.is_words and 2 * named > len(facts.values)


def _pointing(part: Part, parent: Parent, other: Part, candidates: list[Facts]) -> Given | None:
    """The column all of whose values are keys of the other part."""
    key = other.key
    assert key is not None
    same = [
        one
        for one in part.seen.columns
        if one.name == key.name and one.filled and part.seen is not other.seen
    ]
    nameless = [] if part.seen.has_header else [one for one in part.seen.columns if not one.is_unique]
    if nameless and not part.target.parent(parent.name).required:
        return None
    nameless.sort(key=lambda one: one.distinct, reverse=True)
    for facts in dict.fromkeys([*candidates, *same, *nameless]):
        if facts is not part.key:
            lacking = len(facts.hashes - key.hashes)
            if not lacking:
                is_named = facts in candidates or facts in same
                return Given(placeholder(facts.name), "" if is_named else "unsure: its values are keys there")
            if facts in candidates and lacking < 0.2 * facts.distinct and not parent.required:
                path = other.seen.settings["path"]
                note = f"left out: {lacking:,} of its {facts.distinct:,} values are not in {path}"
                return Given(placeholder(facts.name), note, is_off=True)
    return None


def _named(part: Part, other: Part, candidates: list[Facts]) -> Given | None:
    """A column with the names of the other part's rows, which a look-up turns into their keys."""
    if part.seen is other.seen or other.key is None or other.external_id != placeholder(other.key.name):
        return None
    for facts in candidates:
        for column in other.seen.columns:
            is_name = (
                column.is_unique and column.is_words and can_be_named(column) and column is not other.key
            )
            if is_name and facts is not part.key and facts.is_words and facts.hashes <= column.hashes:
                name = other.seen.name
                part.lookups[name] = {"file": name, "key": column.name, "equals": placeholder(facts.name)}
                part.lookup_files[name] = other.seen
                return Given(placeholder(f"{name}.{other.key.name}"), f"found by its {column.name}")
    return None


def _make_parent(
    part: Part, parent: Parent, candidates: list[Facts], others: list[Part], made: list[Part]
) -> None:
    """Make the parents of the values of a column."""
    exact = [
        one
        for one in candidates
        if one.distinct <= max(MOST_OF_WORDS, part.seen.rows // 3)
        and not one.is_boolean
        and not _is_used(part, one)
        and one.longest <= 200
    ]
    if not exact or parent.table not in (
        "customers",
        "users",
        "processes",
        "machines",
        "campaigns",
        "workflows",
    ):
        return
    if others or part.seen.name in {one.seen.name for one in made if one.table == parent.table}:
        return
    if parent.required and not exact[0].is_complete(part.seen.rows):
        return
    facts = exact[0]
    new = part_for(part.seen, parent.table, [one.name for one in made])
    new.key, new.external_id, new.distinct = facts, placeholder(facts.name), "first"
    new.notes = [f"made of the values of {facts.name}, which name them"]
    if not facts.is_complete(part.seen.rows):
        new.where = {facts.name: "*"}
    name = "full_name" if parent.table == "users" else "name"
    label = (
        placeholder(facts.name)
        if facts.is_words
        else f"{new.target.singular.capitalize()} {placeholder(facts.name)}"
    )
    new.columns[name] = Given(label)
    if parent.table == "users":
        address = made_up(new, "email")
        new.columns["email"] = Given(
            {"value": address, "once": True} if "#line" in address else address, "made up: it reaches nobody"
        )
    made.append(new)
    part.parents[parent.name] = Given(placeholder(facts.name))


def _is_used(part: Part, facts: Facts) -> bool:
    """A column that says something of the row itself names nobody."""
    return any(
        placeholder(facts.name) in str(one.value) and not one.is_off and not one.note.startswith("unsure")
        for name, one in part.columns.items()
        if name not in ("name", "full_name", "title", "topic", "segment")
    )


def campaign_of(part: Part) -> Part | None:
    """Of a list of recipients that names no campaign: the one it is the list of, known by the name of the file."""
    address = part.columns.get("address")
    if part.table != "campaign_recipients" or "campaign" in part.parents or not address:
        return None
    column = next((one for one in part.seen.columns if address.value == placeholder(one.name)), None)
    if column is None:
        return None
    label = part.seen.stem.rpartition("/")[2].translate({ord(brace): None for brace in "{}"})
    made = part_for(part.seen, "campaigns", [])
    # A key needs a column; this one is the same in every line.
    made.key, made.external_id, made.distinct, made.each = (
        None,
        f"{label} {{#column}}",
        "first",
        [column.name],
    )
    made.notes = ["made up: the recipients of this file are those of one campaign"]
    made.columns = {
        "name": Given(label),
        "channel": Given("email" if "@" in next(iter(column.values)) else "phone"),
    }
    part.parents["campaign"] = Given(f"{label} {column.name}")
    return made
