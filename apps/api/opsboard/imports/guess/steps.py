"""Steps of jobs: their places, and event logs, of which each line is a step."""

from __future__ import annotations

import re

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, matches, placeholder
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import Facts
from opsboard.imports.guess.tables import Part, part_for
from opsboard.imports.guess.times_of_records import out_of_order
from opsboard.imports.targets import TARGETS

ONE_COLUMN = re.compile(r"\{([^{}#]+)\}")


def number_steps(part: Part) -> None:
    """Number steps among those of their job, where no column does, or not without giving a number twice."""
    if part.table != "job_steps" or part.numbered_by:
        return
    job, order = part.parents["job"].value, part.columns["step_order"].value
    if _are_different(part, job, order):
        if part.key is None:
            part.external_id = f"{job}-{order}"
            part.notes = []
        return
    part.columns["step_order"] = Given("{#n}", "the place of the line among those of its job")
    part.numbered_by = job
    if part.key is None:
        part.external_id = f"{job}-{{#n}}"
        part.notes = [
            "no column is a key: a row is known by its place in its job, so lines must keep their order"
        ]


def _are_different(part: Part, job: object, order: object) -> bool:
    """Return True if no two lines have the same job and place."""
    names = [ONE_COLUMN.fullmatch(text) if isinstance(text, str) else None for text in (job, order)]
    if not all(names):
        return False
    first, second = (part.seen.column(name[1]).position for name in names if name)
    pairs: set[int] = set()
    for count, record in enumerate(part.seen.records(), 1):
        pairs.add(hash((record[first], record[second])))
        if len(pairs) < count:
            return False
    return True


def event_steps(part: Part) -> list[Part]:
    """Of an event log: a step for each line of a job."""
    seen = part.seen
    if part.table != "jobs" or not part.distinct or part.key is None:
        return []
    activities = [
        one
        for one in seen.columns
        if words.likeness(one.name, words.ACTIVITY) >= 9 and one.is_complete(seen.rows)
    ]
    found = {
        name: facts
        for name, (facts, _) in matches(seen, TARGETS["job_steps"]).items()
        if facts.is_complete(seen.rows)
    }
    times = [found[name] for name in ("started_at", "completed_at", "created_at") if name in found]
    times = times or _moments(part)
    if not activities or not times:
        return []
    steps = part_for(seen, "job_steps", [])
    steps.key, steps.distinct = None, ""
    steps.external_id = f"{part.external_id}-{{#n}}"
    steps.columns = {
        "step_order": Given("{#n}", "the place of the line among those of its job"),
        "status": Given("completed"),
        "completed_at": Given(placeholder(times[0].name)),
        "created_at": Given(placeholder(times[0].name)),
    }
    if "started_at" in found and "completed_at" in found:
        steps.columns["started_at"] = Given(placeholder(found["started_at"].name))
        steps.columns["completed_at"] = Given(placeholder(found["completed_at"].name))
        if out_of_order(steps, "started_at", "completed_at"):
            del steps.columns["started_at"]
    for name in ("quantity_done", "quantity_rejected"):
        if name in found and found[name].is_number:
            steps.columns[name] = Given(placeholder(found[name].name))
    steps.notes = ["an event log: each line is a step that was done"]
    steps.numbered_by = part.external_id
    steps.parents = {"job": Given(part.external_id)}
    part.columns["created_at"] = Given({"min": placeholder(times[0].name)}, "the first event")
    part.columns.setdefault("status", Given("active", "unsure: no column tells"))
    for name in ("started_at", "completed_at"):
        part.columns.pop(name, None)
    part.stages = []
    return [steps]


def _moments(part: Part) -> list[Facts]:
    return [
        one
        for one in part.seen.columns
        if words.likeness(one.name, words.MOMENT) >= 7
        and formats_of(one)[0]
        and one.is_complete(part.seen.rows)
    ]
