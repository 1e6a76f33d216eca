"""A date to promise: the shortest of the methods whose promises of past days were kept as often as they said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opsboard.features.jobs.past_jobs import WHOLE_JOB, History, PastJob
from opsboard.features.jobs.promise_days import FEWEST
from opsboard.features.jobs.promise_replay import Method, replay
from opsboard.features.jobs.standstill import stands_still

MOST_DAYS = 3650
# A method is preferred to a simpler one if its promises were shorter by this factor: less is chance.
CLEARLY = 0.95


class Kind(NamedTuple):
    """The past jobs that a promise rests on. `by` is what they have in common with the new job."""

    by: str
    jobs: list[PastJob]

    @property
    def finished(self) -> int:
        return sum(1 for job in self.jobs if job.ended is not None)


class Promise(NamedTuple):
    """`days` is None with a reason. `chosen` is the method that gives them, `plain` the quantile of lead times."""

    reason: str | None
    days: int | None
    kind: Kind
    chosen: Method | None = None
    plain: Method | None = None


def kinds(history: History, routing: Sequence[int], has_steps: bool | None) -> Iterator[Kind]:
    """Yield the past jobs like the new one, the most alike first.

    Jobs with and without steps are mixed only if nothing is known of the new job.
    """
    if routing:
        wanted = tuple(routing)
        some = [job for job in history.jobs if job.steps]
        as_many = [job for job in some if len(job.steps) == len(wanted)]
        yield Kind("routing", [job for job in as_many if job.routing == wanted])
        yield Kind("steps", as_many)
        yield Kind("with_steps", some)
    elif has_steps is None:
        yield Kind("all", history.jobs)
    else:
        name = "with_steps" if has_steps else "without_steps"
        yield Kind(name, [job for job in history.jobs if bool(job.steps) == has_steps])


def promise(
    history: History, routing: Sequence[int], confidence: float, has_steps: bool | None = None
) -> Promise:
    """Return the promise for a new job with these processes in order; none: by past jobs alone.

    The first kind of past jobs with enough promises to check decides, also when its promises were not kept.
    """
    own = tuple(routing) or ((WHOLE_JOB,) if has_steps is False else None)
    made = Promise("no_history", None, Kind("all", []))
    for kind in kinds(history, routing, has_steps):
        made = Promise("no_history", None, kind)
        if kind.finished >= FEWEST:
            made = promise_of_kind(history, kind, own, confidence)
        if made.reason != "no_history":
            break
    if made.days is not None and any(
        stands_still(history.jobs, process, history.observed) for process in set(own or ())
    ):
        return made._replace(reason="idle_process", days=None)
    return made


def promise_of_kind(
    history: History, kind: Kind, routing: tuple[int, ...] | None, confidence: float
) -> Promise:
    methods = replay(history, kind.jobs, routing, confidence)
    plain = methods[0]
    if plain.replayed.cases < FEWEST:
        return Promise("no_history", None, kind, None, plain)
    chosen = choose(methods)
    if chosen is None:
        return Promise("not_kept", None, kind, None, plain)
    days = chosen.promised
    if days is None or days > MOST_DAYS:
        return Promise("too_much_work", None, kind, chosen, plain)
    return Promise(None, days, kind, chosen, plain)


def choose(methods: Sequence[Method]) -> Method | None:
    """Return the first method that kept its promises, or a later one whose promises were clearly shorter and still are.

    None if none kept them, or too few could be checked.
    """
    chosen: Method | None = None
    for method in methods:
        past = method.replayed
        if not past.is_kept or past.cases < FEWEST or method.days is None:
            continue
        if chosen is None or (
            past.width < CLEARLY * chosen.replayed.width and method.days <= (chosen.days or 0.0)
        ):
            chosen = method
    return chosen
