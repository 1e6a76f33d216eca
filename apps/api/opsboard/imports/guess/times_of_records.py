"""Times of one record compared with each other: which is earlier, and which columns without a name are later ones."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from opsboard.imports.guess.columns import Given, placeholder
from opsboard.imports.guess.dates import are_dates, formats_of, moment
from opsboard.imports.guess.facts import Facts
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.guess.tables import Part

ONE_COLUMN = re.compile(r"\{([^{}]+)\}")
# Lines that show a rule, and not a chance.
FEWEST_LINES = 20


def out_of_order(part: Part, earlier: str, later: str) -> int:
    """In how many records one time is before another."""
    readers = [reader(part.seen, part.columns[name].value) for name in (earlier, later)]
    if None in readers:
        return 0
    first, second = readers
    count = 0
    for record in part.seen.records():
        one, other = first(record), second(record)
        count += one is not None and other is not None and other < one
    return count


def reader(seen: SeenFile, value: Any) -> Any:
    """Return the function that reads a time from a single-column record."""
    found = ONE_COLUMN.fullmatch(value) if isinstance(value, str) else None
    name = found[1] if found else ""
    if name not in {one.name for one in seen.columns}:
        return None
    facts = seen.column(name)
    formats, _ = formats_of(facts)

    def read(record: list[str]) -> Any:
        text = record[facts.position]
        return next((found for one in formats if text and (found := moment(text, one))), None)

    return read


def fill_later_dates(part: Part) -> None:
    """Of jobs in a file without a header: when they were due and when they ended, by how the dates lie to each other.

    A date that is always as many days after the first one was planned. One that differs from line to line, is never
    before the first and never in the future has happened.
    """
    first = part.columns.get("created_at")
    if part.seen.has_header or part.table != "jobs" or first is None or part.seen.rows < FEWEST_LINES:
        return
    seen: list[Facts] = []
    for facts in part.seen.columns:
        if placeholder(facts.name) == first.value or not are_dates(facts):
            continue
        gaps, latest = _gaps(part.seen, first.value, facts)
        if not gaps or min(gaps) < timedelta(0) or any(facts.hashes == one.hashes for one in seen):
            continue
        seen.append(facts)
        is_planned = len(gaps) == 1
        name = "due_date" if is_planned else "completed_at"
        if name in part.columns or not (is_planned or latest <= datetime.now()):
            continue
        note = (
            f"unsure: always {max(gaps).days} days after created_at"
            if is_planned
            else "unsure: after created_at, never later than now"
        )
        part.columns[name] = Given(placeholder(facts.name), note)


def _gaps(seen: SeenFile, first: Any, facts: Facts) -> tuple[set[timedelta], datetime]:
    """How long after the first date this one is, and the latest of them; no gaps if the first is always the same."""
    begins, reads = reader(seen, first), reader(seen, placeholder(facts.name))
    gaps: set[timedelta] = set()
    latest, starts = datetime.min, set()
    for record in seen.records():
        begin, end = begins and begins(record), reads(record)
        if begin is not None and end is not None:
            gaps.add(end - begin)
            starts.add(begin)
            latest = max(latest, end)
    return (gaps if len(starts) > 1 else set()), latest
