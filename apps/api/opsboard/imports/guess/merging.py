"""Files about the same rows: one fills the table, and others give it further columns."""

from __future__ import annotations

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, can_be_named, given, matches, placeholder
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import EMAIL, Facts
from opsboard.imports.guess.filling import name_in_parts
from opsboard.imports.guess.tables import Part, coverage

# So many of the keys of a file are those of another: it is about the same rows.
SAME = 0.8


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
        if (
            is_common
            and not (first.seen.is_export and second.seen.is_export)
            and not _share_texts(first, second)
        ):
            continue
        if common >= SAME * min(facts.distinct, first.key.distinct) and can_be_named(facts):
            return facts
    return None


def _share_texts(first: Part, second: Part) -> bool:
    """Return True if two files share texts in a column: keys that are numbers from 1 prove nothing by themselves."""
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
