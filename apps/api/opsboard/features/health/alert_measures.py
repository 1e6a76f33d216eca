"""For each alert, what it is about now and the value that is too high or too low; nothing while all is well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opsboard.features.health.advice import BUSY, DELIVERIES_LATE, JOURNEYS_LATE, OLD_BACKUP, USED_UP
from opsboard.features.health.alert_numbers import Numbers, place_of
from opsboard.observability.faults import FULL_LATELY
from opsboard.staleness import STALE_AFTER

# By subject, which is empty where there is only one.
Found = Mapping[str, float]
Measure = Callable[[Numbers], Found]

ERRORS = 0.01  # of all answers
ONE_IN_TWENTY = 0.05  # more than that are slow: the 95th percentile is
FEWEST_HITS = 0.5  # of look-ups in the cache
MANY_LOOK_UPS = 1.0  # a second; with fewer the rate says nothing
MANY_UNFOLDED = 50_000
LITTLE_DISK = 0.1  # of the disk is free
CERTIFICATE_DAYS = 14
MANY_FAILED = 50  # sign-ins in the window
MANY_OVERDUE = 10  # jobs
DAY = 86_400.0
# They take their time by design: scrapes and health, the hash of a password, a whole list as a file.
SLOW_BY_DESIGN = "metrics[.].*|(root_)?health[.].*|auth[.]login|.*export.*"
COUNTS, CERTIFICATE = "rollups ", "certificate"


def one(value: float | None, is_bad: Callable[[float], bool]) -> Found:
    return {"": value} if value is not None and is_bad(value) else {}


def above(limit: float, values: Iterable[tuple[str, float]]) -> Found:
    return {subject: value for subject, value in values if value > limit}


def threads_busy(numbers: Numbers) -> Found:
    waiting: dict[str, float] = {}
    for worker in numbers.live:
        number = worker["report"].get("request_threads", {}).get("waiting", 0)
        waiting[worker["machine"]] = waiting.get(worker["machine"], 0) + number
    return above(0, waiting.items())


def errors(numbers: Numbers) -> Found:
    return one(numbers.share("errors", "requests"), lambda share: share > ERRORS)


def answers_slow(numbers: Numbers) -> Found:
    found = above(ONE_IN_TWENTY, numbers.named("answers"))
    return {name: share for name, share in found.items() if not re.fullmatch(SLOW_BY_DESIGN, name)}


def queries_slow(numbers: Numbers) -> Found:
    return above(ONE_IN_TWENTY, numbers.named("queries"))


def pool_busy(numbers: Numbers) -> Found:
    pools = [worker["report"]["pool"] for worker in numbers.live]
    most = sum(pool["pool_max"] for pool in pools)
    in_use = sum(pool["pool_size"] - pool["pool_available"] for pool in pools)
    return one(in_use / most if most else None, lambda share: share > BUSY)


def no_connection(numbers: Numbers) -> Found:
    return one(numbers.sums["no_connection"], lambda count: count > 0)


def cache_misses(numbers: Numbers) -> Found:
    if numbers.sums["cache_requests"] <= MANY_LOOK_UPS * numbers.seconds:
        return {}
    return one(numbers.share("cache_hits", "cache_requests"), lambda share: share < FEWEST_HITS)


def changes_late(numbers: Numbers) -> Found:
    return above(STALE_AFTER, ((place_of(worker), worker["report"]["change_lag"]) for worker in numbers.live))


def workers_silent(numbers: Numbers) -> Found:
    return {place_of(worker): worker["silent_seconds"] for worker in numbers.silent}


def journeys_late(numbers: Numbers) -> Found:
    return one(numbers.now["oldest_due_seconds"], lambda seconds: seconds > JOURNEYS_LATE)


def deliveries_late(numbers: Numbers) -> Found:
    return one(numbers.now["oldest_delivery_seconds"], lambda seconds: seconds > DELIVERIES_LATE)


def counts_wrong(numbers: Numbers) -> Found:
    checks: Mapping[str, Any] = numbers.now["checks"]
    wrong = ((name, value) for name, value in checks.items() if name.startswith(COUNTS))
    return above(0, ((f"business {name.removeprefix(COUNTS)}", value) for name, value in wrong))


def counts_unfolded(numbers: Numbers) -> Found:
    return one(numbers.now["unfolded_deltas"], lambda count: count > MANY_UNFOLDED)


def disk_short(numbers: Numbers) -> Found:
    free = {worker["machine"]: worker["report"].get("disk_free", 1.0) for worker in numbers.live}
    return {machine: share for machine, share in free.items() if share < LITTLE_DISK}


def disk_refused(numbers: Numbers) -> Found:
    ago = [worker["report"].get("disk_full_seconds_ago") for worker in numbers.live]
    return one(
        min((each for each in ago if each is not None), default=None), lambda seconds: seconds < FULL_LATELY
    )


def ids_used(numbers: Numbers) -> Found:
    return one(numbers.now["transaction_ids_used"], lambda share: share > USED_UP)


def backup_old(numbers: Numbers) -> Found:
    backup = numbers.now["last_backup"]
    return one(backup and backup["age_seconds"], lambda seconds: seconds > OLD_BACKUP)


def certificate_ends(numbers: Numbers) -> Found:
    expires = numbers.now["checks"].get(CERTIFICATE)
    left = None if expires is None else expires - numbers.now["clock"]
    return one(left, lambda seconds: seconds < CERTIFICATE_DAYS * DAY)


def sign_ins_fail(numbers: Numbers) -> Found:
    return one(numbers.sums["sign_ins_failed"], lambda count: count > MANY_FAILED)


def jobs_overdue(numbers: Numbers) -> Found:
    return above(MANY_OVERDUE, ((f"business {id}", n) for id, n in numbers.now["jobs_overdue"].items()))
