"""A thread of each worker that decides which alerts fire; one worker at a time tells the database."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from opsboard.db.lookout import Lookout
from opsboard.errors import OpsboardError
from opsboard.features.health.alert_numbers import Lately, Numbers, totals_of
from opsboard.features.health.alert_rules import BY_NAME, DATABASE_DOWN, RULES, Rule
from opsboard.features.health.area import sql
from opsboard.observability import record

log = structlog.get_logger(__name__)

EVERY = 5.0  # seconds
REST_EVERY = 15.0  # seconds, in a worker that nobody asks and that does not decide
CHECK_EVERY = 3600.0  # seconds between two looks at what rarely changes


@dataclass(frozen=True)
class Away:
    """Since when (seconds since 1970) the database has not answered, and whether that lasts long enough to fire."""

    since: float
    is_firing: bool


class AlertWatch:
    """Looks every few seconds at all workers and the server, by the connection for health answers.

    Every worker looks, for rates need what was before; the live one with the lowest id stores what it found. The others
    look less often while they rest.
    `checks` are done by that worker once an hour: each gives a number to keep by its name, or None.
    `operators`: ids of the businesses whose webhooks are told; empty: the only business.
    """

    def __init__(
        self,
        lookout: Lookout,
        worker_id: Callable[[], str],
        rules: Sequence[Rule] = RULES,
        checks: dict[str, Callable[[], float | None]] | None = None,
        is_resting: Callable[[], bool] = lambda: False,
        operators: Sequence[int] = (),
    ) -> None:
        self.rules = rules
        self._operators = list(operators)
        self._lookout = lookout
        self._worker_id = worker_id
        self._checks = checks or {}
        self._is_resting = is_resting
        self._has_decided = True
        self._checked_at: float | None = None
        self._notes: dict[str, float] = {}
        self._lately = Lately()
        self._overdue: dict[str, int] = {}
        self._away_since: float | None = None
        self._pid = 0
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the thread of this process; threads do not survive a fork."""
        if self._pid != os.getpid():
            self._stop = threading.Event()
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="opsboard-alerts", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def note(self, name: str, value: float) -> None:
        """Keep the result of a check that somebody did, at the next look."""
        self._notes[name] = value

    @property
    def away(self) -> Away | None:
        """The one alert that cannot be stored: the database does not answer this worker. None: it does."""
        since = self._away_since
        if since is None:
            return None
        return Away(since, time.time() - since >= BY_NAME[DATABASE_DOWN].lasts)

    def check(self) -> None:
        """Look once, and store and log what has begun or ended."""
        with record.recording():
            try:
                row = self._lookout.fetch_unbound(sql.alert_numbers)
                assert row is not None  # json_build_object always gives a row
                numbers = self._numbers(json.loads(row[0]))
                self._has_decided = self._decides(numbers)
                if self._has_decided:
                    self._look_closer()
                    self._tell(self.conditions(numbers))
            except OpsboardError as error:
                self._is_away(error)
            else:
                self._is_back()

    def conditions(self, numbers: Numbers) -> list[dict[str, Any]]:
        """All that is the matter now, whether it has lasted long enough or not."""
        return [
            {
                "rule": rule.name,
                "subject": subject[:200],
                "value": value,
                "lasts": rule.lasts,
                "summary": rule.sentence(subject, value),
            }
            for rule in self.rules
            if rule.measure
            for subject, value in rule.measure(numbers).items()
        ]

    def _numbers(self, now: dict[str, Any]) -> Numbers:
        totals = {worker["id"]: totals_of(worker["report"]) for worker in Numbers(now).live}
        if now["jobs_overdue"] is None:
            now["jobs_overdue"] = self._overdue
        self._overdue = now["jobs_overdue"]
        sums, seconds = self._lately.add(now["clock"], totals)
        return Numbers(now, sums, seconds)

    def _decides(self, numbers: Numbers) -> bool:
        return min((worker["id"] for worker in numbers.live), default="") == self._worker_id()

    def _look_closer(self) -> None:
        now = time.monotonic()
        if self._checked_at is None or now - self._checked_at >= CHECK_EVERY:
            self._checked_at = now
            for name, look in self._checks.items():
                if (value := look()) is not None:
                    self.note(name, value)
        while self._notes:
            name, value = self._notes.popitem()
            self._lookout.fetch_unbound(sql.note_check, {"check_name": name, "value": value})

    def _tell(self, conditions: list[dict[str, Any]]) -> None:
        rules = [{"rule": rule.name, "severity": rule.severity, "action": rule.action} for rule in self.rules]
        given = {
            "conditions": json.dumps(conditions),
            "rules": json.dumps(rules),
            "operators": self._operators,
        }
        row = self._lookout.fetch_unbound(sql.record_alerts, given)
        assert row is not None  # json_build_object always gives a row
        told = json.loads(row[0])
        for alert in told["fired"]:
            fired(BY_NAME[alert["rule"]], alert["subject"], alert["value"], alert["is_silenced"])
        for alert in told["cleared"]:
            log.info("alert cleared", alert=alert["rule"], subject=alert["subject"])

    def _is_away(self, error: OpsboardError) -> None:
        was = self.away
        if was is None:
            self._away_since = time.time()
        elif was.is_firing and not self._has_told_away:
            self._has_told_away = True
            fired(BY_NAME[DATABASE_DOWN], "", None, False)
        log.debug("alerts cannot be decided", error=error.code)

    _has_told_away = False

    def _is_back(self) -> None:
        if self._has_told_away:
            log.info("alert cleared", alert=DATABASE_DOWN, subject="")
        self._away_since, self._has_told_away = None, False

    def pause(self) -> float:
        """Seconds until the next look."""
        return REST_EVERY if self._is_resting() and not self._has_decided else EVERY

    def _run(self) -> None:
        while not self._stop.wait(self.pause()):
            with suppress(OpsboardError):
                self.check()


def fired(rule: Rule, subject: str, value: float | None, is_silenced: bool) -> None:
    """Tell the log once that an alert fires: a warning, or less when it is silenced."""
    tell = log.info if is_silenced else log.error if rule.severity == "critical" else log.warning
    tell("alert fires", alert=rule.name, subject=subject, severity=rule.severity,
         summary=rule.sentence(subject, value), action=rule.action)  # fmt: skip
