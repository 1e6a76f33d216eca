"""Measures in turns: A B C ... A B C ..., so that whatever else the machine does hits all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from opsboard.errors import CommandError
from opsboard_bench.load.jobs import Figures, Job
from opsboard_bench.processors import Cores, cpu_seconds
from opsboard_bench.scenarios import Scenario
from opsboard_bench.servers import HERE, Server
from opsboard_bench.session import Session

WARM_UP = 20  # answers on each connection before the count begins
LATENCY_SHARE = 0.5  # of the seconds of a throughput measurement


@dataclass
class Answers:
    """The figures of one scenario, a value a round."""

    scenario: Scenario
    rates: list[float] = field(default_factory=list)  # requests a second
    cpu: list[float] = field(default_factory=list)  # of the server, microseconds a request
    busy: list[float] = field(default_factory=list)  # of the load generator, 0 to 1
    latencies: list[int] = field(default_factory=list)  # nanoseconds, of all rounds


@dataclass(frozen=True)
class Measured:
    """All rows of one number of workers, the bare callable's first, and the generator's ceiling."""

    workers: int
    connections: int
    cores: Cores
    rows: list[Answers]
    ceiling: list[float]

    @property
    def reference(self) -> Answers:
        return self.rows[0]


@dataclass(frozen=True)
class Plan:
    """How often and how long."""

    rounds: int
    seconds: float
    connections: int
    with_latency: bool


def take_turns(
    plan: Plan,
    scenarios: tuple[Scenario, ...],
    servers: dict[str, Server],
    session: Session,
    cores: Cores,
    done: Callable[[int], None],
) -> list[Answers]:
    """All rounds of all scenarios; `done` is called after each round."""
    rows = [Answers(scenario) for scenario in scenarios]
    for number in range(1, plan.rounds + 1):
        for row in rows:
            server = servers[row.scenario.contender.name]
            throughput(plan, row, server, session, cores)
            if plan.with_latency:
                job = job_for(row.scenario, server, session, 1, plan.seconds * LATENCY_SHARE, cores)
                row.latencies += load(job).latencies
        done(number)
    return rows


def throughput(plan: Plan, row: Answers, server: Server, session: Session, cores: Cores) -> None:
    before = cpu_seconds(server.process.pid)
    figures = load(job_for(row.scenario, server, session, plan.connections, plan.seconds, cores))
    after = cpu_seconds(server.process.pid)
    row.rates.append(figures.answers / figures.seconds)
    row.busy.append(figures.busy)
    if before is not None and after is not None:
        row.cpu.append((after - before) / figures.exchanges * 1e6)


def job_for(
    scenario: Scenario, server: Server, session: Session, connections: int, seconds: float, cores: Cores
) -> Job:
    return Job(
        address=server.address,
        request=session.request(scenario),
        status=scenario.status,
        expected=list(scenario.expected),
        connections=connections,
        seconds=seconds,
        warm_up=WARM_UP,
        cores=cores.others,
        conditional=scenario.conditional,
    )


def load(job: Job) -> Figures:
    """Do a job in a process of its own."""
    return Figures(**run_apart("load", job, f"The measurement of {job.address} failed"))


def run_apart(module: str, job: Any, failed: str) -> dict[str, Any]:
    """Run a module of the load generator in its own process; return its result. Raises CommandError with `failed`."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", module],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    if done.returncode != 0:
        raise CommandError(f"{failed}: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
