"""Exports of ours carry some rows inside others: the steps of a routing, the permissions of a process."""

from __future__ import annotations

import json
from dataclasses import replace

from opsboard.imports.guess.columns import Given
from opsboard.imports.guess.facts import Facts
from opsboard.imports.guess.tables import Part
from opsboard.imports.targets import TARGETS

# Table and the column with the array -> the table of the items, the parent they belong to, and their key.
NESTED = {
    ("routings", "steps"): ("routing_steps", "routing", "{id}-{#item.id}"),
    ("processes", "permissions"): ("role_process_permissions", "process", "{id}-{#item.role}"),
}


def nested_parts(part: Part) -> list[Part]:
    """A part for each array of a file."""
    found = []
    for (table, column), (items, parent, key) in NESTED.items():
        facts = next((one for one in part.seen.columns if one.name == column), None)
        if part.table == table and part.seen.is_export and facts and (members := members_of(facts)):
            target = TARGETS[items]
            found.append(
                replace(
                    part,
                    name=items,
                    target=target,
                    key=None,
                    external_id=key,
                    distinct="",
                    items=column,
                    notes=[f"each item of {column} is a row"],
                    columns={
                        one.name: Given(f"{{#item.{one.name}}}")
                        for one in target.columns
                        if one.name in members
                    },
                    parents={parent: Given(part.external_id)}
                    | {
                        one.name: Given(f"{{#item.{one.name}.id}}")
                        for one in target.parents
                        if one.name in members
                    },
                    lookups={},
                    stages=[],
                    lookup_files={},
                )
            )
    return found


def members_of(facts: Facts) -> set[str]:
    """The members of all items that were seen; none when a value is no array."""
    found: set[str] = set()
    for text in facts.values:
        try:
            items = json.loads(text)
        except ValueError:
            return set()
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return set()
        found.update(name for item in items for name in item)
    return found
