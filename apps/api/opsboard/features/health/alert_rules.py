"""All alerts in one table: `GET /api/health/alerts` and deploy/prometheus-rules.yml are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opsboard.features.health import alert_measures as measure
from opsboard.features.health.advice import BUSY, DELIVERIES_LATE, JOURNEYS_LATE, OLD_BACKUP, USED_UP
from opsboard.features.health.alert_numbers import SLOW_ANSWER, SLOW_QUERY
from opsboard.staleness import STALE_AFTER

Severity = Literal["warning", "critical"]
# The format of a value, for Prometheus and for people.
UNITS = {"": "", "share": " | humanizePercentage", "seconds": " | humanizeDuration"}


@dataclass(frozen=True)
class Rule:
    """One alert. `lasts`: for so many seconds its condition holds before it fires.

    `expr` is its condition for Prometheus, `measure` the same for the service itself: None where only Prometheus can
    know. `says` is a sentence with {value} and {subject}, which is `label` in Prometheus; `action` says what to do.
    """

    name: str
    severity: Severity
    lasts: int
    expr: str
    says: str
    action: str
    measure: measure.Measure | None = None
    label: str = ""
    unit: str = ""

    def sentence(self, subject: str, value: float | None) -> str:
        """Describe the alert for people."""
        return self.says.format(subject=subject or "the service", value=shown(self.unit, value))


def shown(unit: str, value: float | None) -> str:
    if value is None:
        return "an unknown number"
    return f"{value:.1%}" if unit == "share" else f"{value:.0f} s" if unit == "seconds" else f"{value:g}"


DATABASE_DOWN = "OpsboardDatabaseDown"
RULES = (
    Rule(
        "OpsboardDown", "critical", 60,
        'up{job=~"opsboard.*"} == 0 or absent(opsboard_workers)',
        "{subject} answers no scrape", "systemctl status opsboard; journalctl -u opsboard -n 50.", label="instance",
    ),
    Rule(
        "OpsboardThreadsBusy", "warning", 120, "sum by (machine) (opsboard_requests_waiting_for_thread) > 0",
        "{value} requests of {subject} wait for a thread",
        "GET /api/health/db: `blocked` names what holds them; else raise WEB_THREADS or WEB_CONCURRENCY.",
        measure.threads_busy, "machine",
    ),
    Rule(
        "OpsboardErrors", "critical", 300,
        f"sum(rate(http_errors_total[5m])) / (sum(rate(http_requests_total[5m])) > 0) > {measure.ERRORS}",
        "{value} of answers are errors", "The log's lines `request failed` have code and advice.",
        measure.errors, unit="share",
    ),
    Rule(
        "OpsboardAnswersSlow", "warning", 600,
        f'opsboard:http_request_duration_seconds:p95{{endpoint!~"{measure.SLOW_BY_DESIGN}"}} > {SLOW_ANSWER}',
        "{subject}: one answer in twenty takes longer than 100 ms",
        "GET /api/health/queries names the query; `opsboard explain` shows its plan.",
        measure.answers_slow, "endpoint", "share",
    ),
    Rule(
        "OpsboardQuerySlow", "warning", 600, f"opsboard:query_duration_seconds:p95 > {SLOW_QUERY}",
        "{subject}: one run in twenty takes longer than 200 ms",
        "The log has its plan after `slow query`; opsboard explain NAME --analyze.",
        measure.queries_slow, "query", "share",
    ),
    Rule(
        "OpsboardPoolBusy", "warning", 300, f"opsboard:pool_use > {BUSY}",
        "{value} of the connections are in use", "GET /api/health/db says why and what to do.",
        measure.pool_busy, unit="share",
    ),
    Rule(
        "OpsboardNoConnection", "critical", 0, "sum(increase(opsboard_pool_requests_errors_total[5m])) > 0",
        "{value} requests got no connection",
        "GET /api/health/db; raise DB_POOL_MAX_CONNECTIONS or find the slow query.", measure.no_connection,
    ),
    Rule(
        "OpsboardCacheMisses", "warning", 1800,
        f"opsboard:cache_hit_rate < {measure.FEWEST_HITS} "
        f"and sum(rate(cache_requests_total[5m])) > {measure.MANY_LOOK_UPS:g}",
        "only {value} of look-ups find an answer in the cache",
        "GET /api/health/cache: expirations ask for longer CACHE_TTL_*, evictions for more CACHE_MAX_BYTES.",
        measure.cache_misses, unit="share",
    ),
    Rule(
        "OpsboardChangesLate", "warning", 60,
        f"max by (machine, worker) (opsboard_change_lag_seconds) > {STALE_AFTER:g}",
        "worker {subject} hears changes late and distrusts its cache",
        "The database is slow or away: GET /api/health/db/test.", measure.changes_late, "worker", "seconds",
    ),
    Rule(
        "OpsboardWorkerSilent", "warning", 60, "opsboard_workers_silent > 0",
        "worker {subject} has fallen silent", "GET /api/health/db names it; look at its log and its machine.",
        measure.workers_silent, unit="seconds",
    ),
    Rule(
        "OpsboardJourneysLate", "warning", 300, f"max(opsboard_journeys_oldest_due_seconds) > {JOURNEYS_LATE:g}",
        "a step of a journey has been due for {value}",
        "systemctl status opsboard-journeys; GET /api/health/journeys.", measure.journeys_late, unit="seconds",
    ),
    Rule(
        "OpsboardDeliveriesLate", "warning", 300,
        f"max(opsboard_deliveries_oldest_waiting_seconds) > {DELIVERIES_LATE:g}",
        "a delivery has waited for {value}",
        "systemctl status opsboard-journeys, which sends; GET /api/webhooks/deliveries?status=waiting has the errors.",
        measure.deliveries_late, unit="seconds",
    ),
    Rule(
        DATABASE_DOWN, "critical", 30, "opsboard_database_up == 0",
        "the database does not answer", "Cached answers are still served, marked STALE; run opsboard doctor.",
    ),
    Rule(
        "OpsboardDatabaseProcessors", "warning", 600,
        '1 - avg by (instance) (rate(node_cpu_seconds_total{job="postgres-machine", mode="idle"}[5m])) > 0.8',
        "the database's processors are {value} busy",
        "GET /api/health/queries: what has taken most of the time.", label="instance", unit="share",
    ),
    Rule(
        "OpsboardCountsWrong", "critical", 0, "max(opsboard_rollup_differences) > 0",
        "{subject}: {value} stored counts differ from the tables",
        "opsboard rollups rebuild; report how it came about.", measure.counts_wrong,
    ),
    Rule(
        "OpsboardCountsUnfolded", "warning", 600, f"max(opsboard_unfolded_deltas) > {measure.MANY_UNFOLDED}",
        "{value} changes of counts are not folded, so counts get slower",
        "GET /api/health/activity: an old transaction holds them up; the log's line `maintenance`.",
        measure.counts_unfolded,
    ),
    Rule(
        "OpsboardDiskShort", "warning", 300,
        f"machine_disk_free_bytes / machine_disk_bytes < {measure.LITTLE_DISK}",
        "{value} of a disk are free ({subject})", "Remove old backups and logs; df, du.",
        measure.disk_short, "instance", "share",
    ),
    Rule(
        "OpsboardDatabaseDiskFull", "critical", 0, "max(opsboard_database_disk_full) > 0",
        "the database's disk is full: it refuses to write",
        "Make room on it: old backups, logs, replication slots that nobody reads.",
        measure.disk_refused,
    ),
    Rule(
        "OpsboardTransactionIds", "critical", 300, f"max(opsboard_transaction_ids_used) > {USED_UP}",
        "{value} of the transaction ids are used up; the server stops writing when they are",
        "GET /api/health/activity: what keeps vacuum waiting; VACUUM (FREEZE) of its oldest table.",
        measure.ids_used, unit="share",
    ),
    Rule(
        "OpsboardBackupOld", "critical", 0, f"max(opsboard_backup_age_seconds) > {OLD_BACKUP:.0f}",
        "the last backup is {value} old", "systemctl status opsboard-backup.timer; journalctl -u opsboard-backup.",
        measure.backup_old, unit="seconds",
    ),
    Rule(
        "OpsboardCertificateEnds", "warning", 0,
        f"min(opsboard_certificate_expires_seconds) < {measure.CERTIFICATE_DAYS * measure.DAY:.0f}",
        "the certificate of PUBLIC_URL ends in {value}", "Renew it and reload nginx.",
        measure.certificate_ends, unit="seconds",
    ),
    Rule(
        "OpsboardSignInsFail", "warning", 0,
        f'sum(increase(opsboard_sign_ins_total{{outcome="sign_in_failed"}}[5m])) > {measure.MANY_FAILED}',
        "{value} sign-ins failed in five minutes", "The log's lines `sign_in_failed` have accounts and addresses.",
        measure.sign_ins_fail,
    ),
    Rule(
        "OpsboardJobsOverdue", "warning", 0, f"max by (business) (opsboard_jobs_overdue) > {measure.MANY_OVERDUE}",
        "{subject}: {value} jobs are overdue", "GET /api/jobs?overdue=true&sort=due_date",
        measure.jobs_overdue, "business",
    ),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}
