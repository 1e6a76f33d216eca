"""References between files: rows of other tables, and further columns in other files."""

from __future__ import annotations

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, can_be_named, given, matches, placeholder
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import EMAIL, Facts
from opsboard.imports.guess.filling import made_up, name_in_parts
from opsboard.imports.guess.tables import Part, coverage, part_for
from opsboard.imports.target import Parent

# So many of the keys of a file are those of another: it is about the same rows.
SAME = 0.8
MOST_OF_WORDS = 500


def merge(parts: list[Part]) -> tuple[list[Part], list[str]]:
    """One part for each table; a second file of the same rows becomes a look-up, and one of others a further part."""
    kept: list[Part] = []
    notes: list[str] = []
    for part in sorted(parts, key=_worth, reverse=True):
        first = next((one for one in kept if one.table == part.table and _shared_key(one, part)), None)
        if first is None:
            part.name = (
                part.table
                if all(one.name != part.table for one in kept)
                else f"{part.table}_of_{part.seen.name}"
            )
            kept.append(part)
        elif added := _look_up(first, part):
            notes.append(f"{part.seen.settings['path']}: gives {', '.join(added)} of {first.name}")
        else:
            notes.append(
                f"{part.seen.settings['path']}: has the rows of {first.seen.settings['path']} again; not used"
            )
    return kept, notes


def _worth(part: Part) -> tuple[int, float, int, int, int]:
    made_up = sum(one.note.startswith("made up") for one in part.columns.values())
    is_key = part.key is not None and part.key.is_unique
    share = coverage(part.seen, part.target) or 0.0
    return (part.seen.has_header, round(share, 1), is_key, part.seen.rows, len(part.columns) - made_up)


def _shared_key(first: Part, second: Part) -> Facts | None:
    """The column of the second file that has the keys of the first."""
    if first.key is None:
        return None
    columns = [one for one in second.seen.columns if one.name == first.key.name] or (
        [second.key] if second.key else []
    )
    for facts in columns:
        common = len(facts.hashes & first.key.hashes)
        is_common = words.likeness(facts.name, "id no nr number key code") > 9
        if is_common and not (first.seen.is_own and second.seen.is_own) and not _share_texts(first, second):
            continue
        if common >= SAME * min(facts.distinct, first.key.distinct) and can_be_named(facts):
            return facts
    return None


def _share_texts(first: Part, second: Part) -> bool:
    """Whether two files have the same texts in a column: keys that are numbers from 1 tell nothing by themselves."""
    texts = {
        one.name: one
        for one in first.seen.columns
        if one.distinct > 1 and (one.is_words or one.all_are(EMAIL))
    }
    return any(
        len(one.hashes & texts[one.name].hashes) >= SAME * min(one.distinct, texts[one.name].distinct)
        for one in second.seen.columns
        if one.name in texts
        and one.filled
        and formats_of(one)[0] == []
        and one.distinct * 2 > second.seen.rows
    )


def _look_up(first: Part, second: Part) -> list[str]:
    """Fill from another file what the first file does not have."""
    key = _shared_key(first, second)
    if key is None or not second.seen.has_header:
        return []
    name = second.seen.name
    added: list[str] = []
    for column_name, (facts, likeness) in matches(second.seen, second.target).items():
        now = first.columns.get(column_name)
        is_wanted = now is None or now.is_off or now.note.startswith("made up")
        column = first.target.column(column_name)
        if not is_wanted or not can_be_named(facts) or (not column.nullable and not _covers(key, first)):
            continue
        found = given(second.seen, column, facts, likeness)
        if (
            found is None
            or found.is_off
            or (column.name in ("email",) and not facts.is_unique and first.table == "users")
        ):
            continue
        text = placeholder(f"{name}.{facts.name}")
        found.value = {**found.value, "value": text} if isinstance(found.value, dict) else text
        first.columns[column_name] = found
        added.append(column_name)
    added += _whole_name(first, second)
    if not added:
        return []
    first.lookups[name] = {"file": name, "key": key.name, "equals": first.external_id, "optional": True}
    if not key.is_unique:
        first.lookups[name]["pick"] = "first"
    first.lookup_files[name] = second.seen
    _stages_again(first)
    return added


def _whole_name(first: Part, second: Part) -> list[str]:
    """The names of people, where only the second file has them."""
    name = "full_name" if first.table == "users" else "name"
    now = first.columns.get(name)
    if first.table not in ("users", "leads", "contacts") or (
        now and not now.note.startswith(("made up", "unsure"))
    ):
        return []
    value = name_in_parts(second.seen, f"{second.seen.name}.")
    if value is None:
        return []
    is_new = now is None or now.note.startswith("made up")
    first.columns[name] = Given(value)
    return [name] if is_new else []


def _covers(key: Facts, first: Part) -> bool:
    return first.key is not None and first.key.hashes <= key.hashes


def _stages_again(part: Part) -> None:
    if part.table == "leads" and "closed_at" in part.columns and "status" not in part.columns:
        part.stages = [{"status": "new"}, {"status": "won", "since": "closed_at"}]


def add_parents(parts: list[Part]) -> list[Part]:
    """Find the column that names each parent; where no file has the parents, they are made of that column."""
    made: list[Part] = []
    for part in parts:
        for parent in part.target.parents:
            _add_parent(part, parent, parts, made)
    return made


def _add_parent(part: Part, parent: Parent, parts: list[Part], made: list[Part]) -> None:
    phrases = f"{parent.name.replace('_', '-')}-id {words.PARENTS.get(parent.name, '')}"
    near = sorted(
        (one for one in part.seen.columns if one.filled and can_be_named(one)),
        key=lambda one: words.likeness(one.name, phrases),
        reverse=True,
    )
    candidates = [one for one in near if words.likeness(one.name, phrases) >= 3 and one is not part.key]
    others = [one for one in [*parts, *made] if one.table == parent.table and one is not part and one.key]
    for other in others:
        assert other.key is not None
        if found := _pointing(part, parent, other, candidates):
            part.parents[parent.name] = found
            return
    if parent.name in part.parents:
        return
    _make_parent(part, parent, candidates, others, made)


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
