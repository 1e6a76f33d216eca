"""Answers on the same gunicorn: cached, not modified and made anew, beside what else could answer."""

from __future__ import annotations

import secrets
from functools import partial

from opsboard.bench.answers_table import costs_table, rates_table
from opsboard.bench.ceiling import ceiling
from opsboard.bench.costs import costs
from opsboard.bench.ground import Bench, Ground, with_demo_data
from opsboard.bench.processors import pin, share_out
from opsboard.bench.results import Table
from opsboard.bench.rounds import Measured, Plan, job_for, take_turns
from opsboard.bench.scenarios import HIT, MISS, NOT_MODIFIED, REFERENCE, SCENARIOS, contenders
from opsboard.bench.servers import Grounds, Server, serving
from opsboard.bench.subject import Subject, take
from opsboard.bench.tables import plural


def measure(bench: Bench) -> list[Table]:
    """A table for each number of workers, and one of what an answer takes from the database."""
    tables: list[Table] = []
    with with_demo_data(bench, "hits") as ground:
        for workers in bench.wanted.workers:
            tables += of_workers(bench, ground, workers, first=not tables)
    return tables


def of_workers(bench: Bench, ground: Ground, workers: int, first: bool) -> list[Table]:
    wanted, cores = bench.wanted, share_out(workers)
    if ground.cluster.pid is not None:
        pin(ground.cluster.pid, cores.others)
    scenarios = tuple(scenario for scenario in SCENARIOS if not scenario.contender.missing)
    missing = {one.label: one.contender.missing for one in SCENARIOS if one.contender.missing}
    connections = bench.config.web_threads * workers
    grounds = Grounds(ground.folder, service_settings(bench, ground.url), workers, cores.server)
    plan = Plan(wanted.rounds, wanted.seconds, connections, with_latency=first)
    title = f"hits, {plural(workers, 'worker')}"
    taken: list[Subject] = []
    bench.report(f"{title}: starting the servers")
    with serving(grounds, contenders(scenarios), partial(prepare, ground, taken)) as servers:
        (subject,) = taken
        found = take_turns(
            plan, scenarios, servers, subject, cores,
            lambda number: bench.report(f"{title}: round {number} of {wanted.rounds}"),
        )  # fmt: skip
        reference = servers[REFERENCE.contender.name]
        job = job_for(REFERENCE, reference, subject, connections, wanted.seconds, cores)
        limit = ceiling(job, cores, ground.folder, wanted.rounds)
        tables = [rates_table(Measured(workers, connections, cores, found, limit), missing, subject)]
        if first:
            tables.append(costs_table(costs((HIT, NOT_MODIFIED, MISS), servers, subject)))
    return tables


def service_settings(bench: Bench, url: str) -> dict[str, str]:
    """As in production, but silent, and with no worker replaced in the middle of a round."""
    return {
        "DATABASE_URL": url,
        "OPSBOARD_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "WEB_THREADS": str(bench.config.web_threads),
        "WEB_MAX_REQUESTS": "0",
        "LOG_LEVEL": "error",
    }


def prepare(ground: Ground, taken: list[Subject], server: Server) -> None:
    taken.append(take(server.address))
    taken[0].store(ground.folder / "answer.json")
