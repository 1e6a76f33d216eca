"""Records of work: the steps they belong to, which few files have by a key of their own."""

from __future__ import annotations

from opsboard.imports.guess import words
from opsboard.imports.guess.columns import Given, can_be_named, placeholder
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.facts import CLOCK, Facts
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.guess.tables import Part, is_called, is_event_log, part_for
from opsboard.imports.targets import TARGETS

OPERATION = """
operation op op-no ag-nr ag arbeitsgang arbeitsgang-nr vorgang step step-no task activity process taetigkeit
operacion"""
LEAST = 3.0


def is_work(seen: SeenFile) -> bool:
    """Return True if people report their times on operations: several lines about the same one, or called so."""
    job, operation = job_of(seen), operation_of(seen)
    if seen.is_export or operation is None or job is None or job is operation:
        return seen.is_export
    if is_event_log(seen) or not _best(seen, words.PARENTS["worker"]) or not _has_begin(seen):
        return False
    pairs = {(record[job.position], record[operation.position]) for record in seen.records()}
    return len(pairs) < seen.rows or is_called(seen, TARGETS["work_records"])


def job_of(seen: SeenFile) -> Facts | None:
    """The column that names the job."""
    return _best(seen, f"job-id {words.PARENTS['job']}")


def operation_of(seen: SeenFile) -> Facts | None:
    """The column that names the operation of the job."""
    return _best(seen, OPERATION)


def _best(seen: SeenFile, phrases: str) -> Facts | None:
    named = [one for one in seen.columns if one.filled and can_be_named(one)]
    best = max(named, key=lambda one: words.likeness(one.name, phrases), default=None)
    return best if best and words.likeness(best.name, phrases) > LEAST else None


def _has_begin(seen: SeenFile) -> bool:
    phrases = words.COLUMNS["work_records"]["started_at"]
    return any(words.likeness(one.name, phrases) > 6 and formats_of(one)[0] for one in seen.columns)


def work_parts(part: Part, parts: list[Part]) -> list[Part]:
    """The steps of records of work, and their jobs, where no file has them."""
    job, operation = job_of(part.seen), operation_of(part.seen)
    if part.table != "work_records" or part.seen.is_export or job is None or operation is None:
        return []
    part.parents["step"] = Given(f"{placeholder(job.name)}-{placeholder(operation.name)}")
    _end_by_clock(part)
    made = []
    if all(one.table != "jobs" for one in parts):
        made.append(_jobs(part, job))
    if not any(_has_steps(one, part, job, operation) for one in parts):
        made.append(_steps(part, job, operation, [one.name for one in parts]))
    if not job.is_complete(part.seen.rows):
        # Lines without a job are of something else.
        for one in (part, *made):
            one.where = {job.name: "*"}
    return made


def _jobs(part: Part, job: Facts) -> Part:
    jobs = part_for(part.seen, "jobs", [])
    jobs.key, jobs.external_id, jobs.distinct = job, placeholder(job.name), "first"
    jobs.notes = [f"made of the values of {job.name}, which name them"]
    jobs.columns = {
        "job_number": Given(placeholder(job.name)),
        "title": Given(f"Job {placeholder(job.name)}", "made up"),
        "status": Given("active", "unsure: no column tells"),
    }
    return jobs


def _steps(part: Part, job: Facts, operation: Facts, taken: list[str]) -> Part:
    steps = part_for(part.seen, "job_steps", taken)
    steps.key, steps.external_id, steps.distinct = None, str(part.parents["step"].value), "first"
    steps.notes = [f"made of {job.name} and {operation.name}: one step for all work on it"]
    steps.numbered_by = placeholder(job.name)
    steps.columns = {
        "step_order": Given(placeholder(operation.name))
        if operation.is_number
        else Given("{#n}", "the place of its first line among those of the job"),
        "status": Given("in_progress", "unsure: no column tells whether it is done"),
    }
    for name, source in (("quantity_done", "quantity_good"), ("quantity_rejected", "quantity_rejected")):
        given = part.columns.get(source)
        if given and not given.is_off:
            text = given.value["value"] if isinstance(given.value, dict) else given.value
            steps.columns[name] = Given({"sum": text, "default": "0"})
    return steps


def _has_steps(other: Part, part: Part, job: Facts, operation: Facts) -> bool:
    """Return True if the other part has a step for each job and operation of the records."""
    order = other.columns.get("step_order")
    of_job = job_of(other.seen)
    column = next((one for one in other.seen.columns if order and placeholder(one.name) == order.value), None)
    if other.table != "job_steps" or other.key is not None or of_job is None or column is None:
        return False
    pairs = {(record[job.position], record[operation.position]) for record in part.seen.records()}
    found = {(record[of_job.position], record[column.position]) for record in other.seen.records()}
    return {pair for pair in pairs if pair[0]} <= found


def _end_by_clock(part: Part) -> None:
    """The end of a day's work, where only its time of day is told."""
    begin = part.columns.get("started_at")
    if begin is None or "ended_at" in part.columns:
        return
    phrases = words.COLUMNS["work_records"]["ended_at"]
    clocks = [one for one in part.seen.columns if one.all_are(CLOCK)]
    end = next((one for one in clocks if words.likeness(one.name, phrases) > 6), None)
    text = begin.value["value"] if isinstance(begin.value, dict) else begin.value
    start = next((one for one in clocks if placeholder(one.name) in text), None)
    if end is not None and start is not None:
        value = text.replace(placeholder(start.name), placeholder(end.name))
        part.columns["ended_at"] = Given(
            {**begin.value, "value": value} if isinstance(begin.value, dict) else value
        )
