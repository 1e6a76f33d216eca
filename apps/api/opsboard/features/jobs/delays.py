"""The step that takes an open job longest: all open work is let through the queues before its processes."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from opsboard.features.jobs.past_jobs import FAR
from opsboard.features.jobs.queue_simulation import Passage, simulate

MOST_ITEMS = 100


def delays_document(found: dict[str, Any], job_ids: Collection[int]) -> dict[str, Any]:
    """Return an item for each of these jobs, or for the open jobs that are due next, from what the statement gave."""
    rates = {process: per_day for process, _, per_day in found["rates"] if per_day}
    names = {process: name for process, name, _ in found["rates"]}
    ahead = sorted(
        found["jobs"], key=lambda job: (-job[1], FAR if job[2] is None else job[2], job[3], job[0])
    )
    works = [[(process, 1.0) for process in job[5]] for job in ahead]
    passages = simulate(works, rates)
    shown = [
        (job, passage)
        for job, passage in zip(ahead, passages, strict=True)
        if (job[0] in job_ids if job_ids else job[2] is not None and job[2] >= 0)
    ]
    shown.sort(key=lambda pair: (FAR if pair[0][2] is None else pair[0][2], pair[0][0]))
    return {"today": found["today"], "items": [item(job, way, names) for job, way in shown[:MOST_ITEMS]]}


def item(job: list[Any], passage: Passage, names: dict[int, str]) -> dict[str, Any]:
    job_id, _, due_in, _, orders, processes = job
    is_endless = not math.isfinite(passage.days)
    # An endless one has not passed the step after those it passed.
    place = len(passage.at_steps) if is_endless else passage.at_steps.index(max(passage.at_steps))
    days = None if is_endless else round(passage.days, 1)
    return {
        "id": job_id,
        "days": days,
        "days_left": due_in,
        "ends_late": None if due_in is None or due_in < 0 else is_endless or math.ceil(passage.days) > due_in,
        "longest": {
            "step_order": orders[place],
            "process": {"id": processes[place], "name": names[processes[place]]},
            "days": None if is_endless else round(passage.at_steps[place], 1),
        },
    }
