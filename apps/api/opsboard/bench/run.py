"""One run: the database, then for each number of workers the servers, the rounds and the generator's ceiling."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from opsboard.bench import machine
from opsboard.bench.ceiling import ceiling
from opsboard.bench.ground import Ground, Report, prepared
from opsboard.bench.processors import Cores, pin, share_out
from opsboard.bench.rounds import Plan, Row, job_for, measure
from opsboard.bench.scenarios import REFERENCE, Scenario, contenders
from opsboard.bench.servers import Grounds, Server, serving
from opsboard.bench.subject import Subject, ask, take
from opsboard.config import Config


@dataclass(frozen=True)
class Wanted:
    """What the command was asked for."""

    scenarios: tuple[Scenario, ...]
    workers: tuple[int, ...]
    rounds: int
    seconds: float
    jobs: int


@dataclass(frozen=True)
class Section:
    """The rows of one number of workers; latencies were taken in the first section only."""

    workers: int
    connections: int
    cores: Cores
    rows: list[Row]
    ceiling: list[float]

    @property
    def reference(self) -> Row:
        return self.rows[0]


@dataclass
class Outcome:
    """Everything a report is made of."""

    wanted: Wanted
    threads: int
    private: bool
    load_before: float
    postgres: str = ""
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    answer_size: int = 0
    sections: list[Section] = field(default_factory=list)
    load_after: float = 0.0


def run(config: Config, wanted: Wanted, report: Report) -> Outcome:
    outcome = Outcome(wanted, config.web_threads, not config.database_url, machine.load_average())
    with prepared(config, wanted.jobs, report) as ground:
        for workers in wanted.workers:
            outcome.sections.append(run_section(config, ground, outcome, workers, report))
    outcome.load_after = machine.load_average()
    return outcome


def run_section(config: Config, ground: Ground, outcome: Outcome, workers: int, report: Report) -> Section:
    wanted, cores = outcome.wanted, share_out(workers)
    if ground.postgres is not None:
        pin(ground.postgres, cores.others)
    grounds = Grounds(ground.folder, service_settings(config, ground), workers, cores.server)
    plan = Plan(
        wanted.rounds, wanted.seconds, config.web_threads * workers, with_latency=not outcome.sections
    )
    title = f"{workers} worker{'s' if workers > 1 else ''}"
    taken: list[Subject] = []
    report(f"{title}: starting the servers")
    with serving(
        grounds, contenders(wanted.scenarios), lambda server: taken.append(prepare(server, ground))
    ) as servers:
        (subject,) = taken
        note_subject(outcome, servers, subject)
        rows = measure(
            plan, wanted.scenarios, servers, subject, cores, announce(report, title, wanted.rounds)
        )
        report(f"{title}: the load generator itself")
        job = job_for(
            REFERENCE, servers[REFERENCE.contender.name], subject, plan.connections, plan.seconds, cores
        )
        limit = ceiling(job, cores, ground.folder, wanted.rounds)
    return Section(workers, plan.connections, cores, rows, limit)


def service_settings(config: Config, ground: Ground) -> dict[str, str]:
    """As in production, but silent, and with no worker replaced in the middle of a round."""
    return {
        "DATABASE_URL": ground.url,
        "OPSBOARD_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "WEB_THREADS": str(config.web_threads),
        "WEB_MAX_REQUESTS": "0",
        "LOG_LEVEL": "error",
    }


def prepare(server: Server, ground: Ground) -> Subject:
    subject = take(server.address)
    subject.store(ground.folder / "answer.json")
    return subject


def note_subject(outcome: Outcome, servers: dict[str, Server], subject: Subject) -> None:
    health = json.loads(ask(servers["opsboard"].address, "/api/health/db", subject.token).body)
    outcome.postgres = health["server"]["server_version"]
    outcome.stats = subject.stats
    outcome.answer_size = len(subject.body.encode())


def announce(report: Report, title: str, rounds: int) -> Callable[[int], None]:
    return lambda number: report(f"{title}: round {number} of {rounds}")
