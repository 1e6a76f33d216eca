"""Explains the pool's numbers: warnings, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsboard.config import Config
from opsboard.observability.faults import FULL_LATELY

# Connections of a worker outside its pool: the change feed, maintenance, and two for health answers.
OWN_CONNECTIONS = 4
BUSY = 0.8  # of all connections in use: the reference's alert
OLD_BACKUP = 50 * 3600.0  # seconds: two nights
USED_UP = 0.5  # of the transaction ids, or of a sequence
NEARLY_GONE = 0.8
FAR_BEHIND = 1 << 30  # bytes of the server's log
BLOCKED = 1.0  # seconds a session may wait for a lock of another
JOURNEYS_LATE = 120.0  # seconds
DELIVERIES_LATE = 3600.0  # seconds
SLOW_WAIT = 100  # ms of waiting per queued request on average
OLD_TRANSACTION = 60  # seconds
# When the server does not tell since when a transaction is open: one that so many others have overtaken is old.
MANY_TRANSACTIONS = 10_000


@dataclass
class Advice:
    """Sentences for people; `status` is healthy, warning or critical."""

    status: str = "healthy"
    warnings: list[str] = field(default_factory=list)
    recommendations: list[str] = field(default_factory=list)

    def warn(self, warning: str, recommendation: str, critical: bool = False) -> None:
        self.warnings.append(warning)
        self.recommendations.append(recommendation)
        self.status = "critical" if critical or self.status == "critical" else "warning"


def advise(
    config: Config,
    pool: Mapping[str, int],
    server: Mapping[str, Any],
    workers: int,
    silent: list[str],
    threads: Mapping[str, int] | None = None,
    problem: str | None = None,
) -> Advice:
    """Look at the pools and threads of the live workers together, at the server they use, and at who fell silent.

    `server` is empty when it did not answer; `problem` then says why.
    """
    advice = Advice()
    if problem:
        advice.warn(
            f"the database did not answer in time: {problem}",
            "see `blocked` of the server's numbers, or ask the server itself; opsboard doctor",
            critical=not server,
        )
    advise_on_threads(threads or {}, advice)
    for worker in silent:
        advice.warn(
            f"worker {worker} has fallen silent", "look at its log and at its machine; a new one replaces it"
        )
    limit, in_use = pool["pool_max"], pool["pool_size"] - pool["pool_available"]
    if in_use >= limit:
        advice.warn(
            f"all {limit} connections of all workers are in use",
            "raise DB_POOL_MAX_CONNECTIONS, or look for a slow query in pg_stat_activity",
            critical=pool["requests_waiting"] > 0,
        )
    elif in_use > BUSY * limit:
        advice.warn(
            f"{in_use} of {limit} connections of all workers are in use, more than {BUSY:.0%}",
            "raise DB_POOL_MAX_CONNECTIONS if this lasts",
        )
    if pool["requests_waiting"]:
        advice.warn(
            f"{pool['requests_waiting']} requests wait for a connection",
            "raise DB_POOL_MAX_CONNECTIONS or lower WEB_THREADS",
        )
    # The wait for a connection that is being opened is no sign of a pool too small.
    waited = pool["requests_wait_ms"] - pool["connections_ms"]
    if pool["requests_queued"] and waited / pool["requests_queued"] > SLOW_WAIT:
        average = waited // pool["requests_queued"]
        advice.warn(
            f"requests that had to wait for a connection waited {average} ms on average",
            "raise DB_POOL_MAX_CONNECTIONS, or make the slowest query faster",
        )
    if pool["requests_errors"]:
        advice.warn(
            f"{pool['requests_errors']} requests got no connection since their workers started",
            "raise DB_POOL_TIMEOUT or DB_POOL_MAX_CONNECTIONS; look for restarts of the server",
        )
    if server:
        advise_on_limits(config, server, advice, workers)
        advise_on_blocked(server, advice)
        advise_on_backup(config, server, advice)
    advise_on_oldest_transaction(config, server, advice)
    return advice


def advise_on_activity(activity: Mapping[str, Any], advice: Advice) -> None:
    """Sessions that are idle in a transaction, and what comes to its end: ids, sequences, replication slots."""
    for session in activity["idle_in_transaction"]:
        if (session["idle_seconds"] or 0) > OLD_TRANSACTION:
            advice.warn(
                f"session {session['pid']} (user {session['user']}, last query {session['last_query'] or 'unknown'}) "
                f"has been idle in a transaction for {session['idle_seconds']:.0f} s",
                f"POST /api/health/activity/cancel with pid {session['pid']} and end_session",
            )
    ids = activity["transaction_ids"]
    if ids["used"] > USED_UP:
        advice.warn(
            f"{ids['used']:.0%} of the transaction ids are used up; the server stops writing when they are",
            f"VACUUM (FREEZE) {ids['oldest_tables'][0]['name']}; look for what keeps vacuum waiting",
            critical=ids["used"] > NEARLY_GONE,
        )
    for sequence in activity["sequences"]:
        if sequence["used"] > USED_UP:
            advice.warn(
                f"sequence {sequence['name']} has reached {sequence['used']:.0%} of its largest value",
                "make its column bigint, or reset it if the values may repeat",
                critical=sequence["used"] > NEARLY_GONE,
            )
    for slot in activity["replication"]["slots"]:
        if not slot["active"] or (slot["bytes_behind"] or 0) > FAR_BEHIND:
            advice.warn(
                f"replication slot {slot['name']!r} is {(slot['bytes_behind'] or 0) >> 20} MB behind"
                f"{'' if slot['active'] else ' and nobody reads it'}; the server keeps that much of its log",
                f"reconnect its reader, or SELECT pg_drop_replication_slot({slot['name']!r})",
            )


def advise_on_disk(reports: Iterable[Mapping[str, Any]], advice: Advice) -> None:
    """The service cannot see the server's disk; it sees that the server refuses to write."""
    ago = [report.get("disk_full_seconds_ago") for report in reports]
    recent = min((seconds for seconds in ago if seconds is not None), default=None)
    if recent is not None and recent < FULL_LATELY:
        advice.warn(
            f"the database's disk is full: it refused to write {recent:.0f} s ago",
            "make room on it: old backups, logs, replication slots that nobody reads; then nothing else is to be done",
            critical=True,
        )


def advise_on_backup(config: Config, server: Mapping[str, Any], advice: Advice) -> None:
    """A backup that has stopped is noticed by nobody until it is needed."""
    last = server.get("last_backup")
    if last is None:
        if config.production:
            advice.recommendations.append(
                "no backup is recorded: install deploy/opsboard-backup.timer, or back up in another way"
            )
    elif last["age_seconds"] > OLD_BACKUP:
        advice.warn(
            f"the last backup is {last['age_seconds'] / 3600:.0f} hours old",
            "systemctl status opsboard-backup.timer opsboard-backup; journalctl -u opsboard-backup",
        )


def advise_on_journeys(oldest_due: float | None, advice: Advice) -> None:
    """A runner looks every second and takes a minute for a batch at most; nobody else notices that there is none."""
    if oldest_due is not None and oldest_due > JOURNEYS_LATE:
        advice.warn(
            f"a step of a journey has been due for {oldest_due:.0f} s: no runner executes it",
            "systemctl status opsboard-journeys; journalctl -u opsboard-journeys; or start: opsboard journeys run",
        )


def advise_on_threads(threads: Mapping[str, int], advice: Advice) -> None:
    """Requests that wait for a thread get no answer that is not kept, however free the database is."""
    most, busy, waiting = (threads.get(name, 0) for name in ("max", "busy", "waiting"))
    if waiting:
        advice.warn(
            f"all threads are busy and {waiting} requests wait for one",
            "find what holds them: `blocked`, a slow query, exports; else raise WEB_THREADS or WEB_CONCURRENCY",
            critical=waiting > most,
        )
    elif most and busy > BUSY * most:
        advice.warn(
            f"{busy} of {most} threads of all workers are busy, more than {BUSY:.0%}",
            "raise WEB_THREADS or WEB_CONCURRENCY if this lasts",
        )


def advise_on_blocked(server: Mapping[str, Any], advice: Advice) -> None:
    """Name the sessions that others have waited for, each once."""
    holders: dict[int, tuple[Mapping[str, Any], int, float]] = {}
    for waiting in server.get("blocked", ()):
        for holder in waiting["blocked_by"]:
            _, others, longest = holders.get(holder["pid"], (holder, 0, 0.0))
            holders[holder["pid"]] = holder, others + 1, max(longest, waiting["seconds"] or 0.0)
    for pid, (holder, others, longest) in holders.items():
        if longest >= BLOCKED:
            advice.warn(
                f"session {pid} (user {holder['user']}, {holder['name'] or 'no name'}) keeps {others} sessions "
                f"waiting for a lock, for {longest:.0f} s",
                f"end its transaction in its client, or with SELECT pg_terminate_backend({pid})",
            )


def advise_on_limits(config: Config, server: Mapping[str, Any], advice: Advice, live: int) -> None:
    """workers x (pool + OWN_CONNECTIONS) against what the server allows; all machines' workers count."""
    workers = max(live, config.web_concurrency)
    wanted = workers * (config.db_pool_max_connections + OWN_CONNECTIONS)
    allowed = server["max_connections"] - server["reserved_connections"]
    if wanted > allowed:
        advice.warn(
            f"{workers} workers x ({config.db_pool_max_connections} + {OWN_CONNECTIONS}) connections = {wanted}, "
            f"but the server allows {allowed}",
            f"set DB_POOL_MAX_CONNECTIONS to {max(1, allowed // workers - OWN_CONNECTIONS)} or less, "
            "lower WEB_CONCURRENCY, or raise max_connections",
        )
    elif server["connections"] > BUSY * allowed:
        advice.warn(
            f"{server['connections']} of the server's {allowed} connections are in use, more than {BUSY:.0%}",
            "see who holds them in pg_stat_activity, or raise max_connections",
        )
    if config.web_threads > config.db_pool_max_connections:
        advice.recommendations.append(
            f"WEB_THREADS is {config.web_threads}, DB_POOL_MAX_CONNECTIONS {config.db_pool_max_connections}: "
            "with as many connections as threads no request ever waits"
        )


def advise_on_oldest_transaction(config: Config, server: Mapping[str, Any], advice: Advice) -> None:
    """Name the session, prepared transaction or replication slot that has kept vacuum waiting for too long."""
    oldest = server.get("oldest_transaction")
    if oldest is None:
        return
    seconds, overtaken = oldest["seconds"], oldest["transactions_since"]
    # An export of ours may take that long.
    limit = max(OLD_TRANSACTION, config.export_deadline) if oldest["ours"] else OLD_TRANSACTION
    if overtaken < MANY_TRANSACTIONS if seconds is None else seconds < limit:
        return
    kind, pid, name = oldest["kind"], oldest["pid"], oldest["name"]
    if kind == "session":
        state = oldest["state"] or "state not visible"
        subject = f"session {pid} (user {oldest['user']}, {name or 'no name'}, {state})"
        remedy = f"end it in its client, or with SELECT pg_terminate_backend({pid})"
    elif kind == "prepared transaction":
        subject, remedy = f"prepared transaction {name!r}", f"COMMIT PREPARED or ROLLBACK PREPARED {name!r}"
    else:
        subject = f"replication slot {name!r} ({oldest['state']})"
        remedy = f"reconnect its reader, or SELECT pg_drop_replication_slot({name!r})"
    since = "an unknown time" if seconds is None else f"{seconds:.0f} s"
    advice.warn(
        f"{subject} has kept a transaction open for {since}: {overtaken} transactions began since, and vacuum "
        f"cannot remove the rows that they left dead ({server['dead_rows']} are dead), so counts and lists slow down",
        f"{remedy}; idle_in_transaction_session_timeout ends forgotten ones by itself",
    )
