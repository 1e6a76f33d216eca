"""Answers of the same gunicorn: cached, not modified and recomputed, beside other servers."""

from __future__ import annotations

import secrets
from functools import partial

from opsboard_bench.answers_table import costs_table, rates_table
from opsboard_bench.ceiling import ceiling
from opsboard_bench.costs import costs
from opsboard_bench.environment import Bench, Environment, with_demo_data
from opsboard_bench.processors import pin, share_out
from opsboard_bench.results import Table
from opsboard_bench.rounds import Measured, Plan, job_for, take_turns
from opsboard_bench.scenarios import HIT, MISS, NOT_MODIFIED, REFERENCE, SCENARIOS, contenders
from opsboard_bench.servers import Grounds, Server, serving
from opsboard_bench.session import Session, sign_in
from opsboard_bench.tables import plural


def measure(bench: Bench) -> list[Table]:
    """A table for each number of workers, and one of what an answer takes from the database."""
    tables: list[Table] = []
    with with_demo_data(bench, "hits") as environment:
        for workers in bench.options.workers:
            tables += of_workers(bench, environment, workers, first=not tables)
    return tables


def of_workers(bench: Bench, environment: Environment, workers: int, first: bool) -> list[Table]:
    options, cores = bench.options, share_out(workers)
    if environment.cluster.pid is not None:
        pin(environment.cluster.pid, cores.others)
    scenarios = tuple(scenario for scenario in SCENARIOS if not scenario.contender.missing)
    missing = {one.label: one.contender.missing for one in SCENARIOS if one.contender.missing}
    connections = bench.config.web_threads * workers
    grounds = Grounds(environment.folder, service_settings(bench, environment.url), workers, cores.server)
    plan = Plan(options.rounds, options.seconds, connections, with_latency=first)
    title = f"hits, {plural(workers, 'worker')}"
    sessions: list[Session] = []
    bench.report(f"{title}: starting the servers")
    with serving(grounds, contenders(scenarios), partial(prepare, environment, sessions)) as servers:
        (session,) = sessions
        found = take_turns(
            plan, scenarios, servers, session, cores,
            lambda number: bench.report(f"{title}: round {number} of {options.rounds}"),
        )  # fmt: skip
        reference = servers[REFERENCE.contender.name]
        job = job_for(REFERENCE, reference, session, connections, options.seconds, cores)
        limit = ceiling(job, cores, environment.folder, options.rounds)
        tables = [rates_table(Measured(workers, connections, cores, found, limit), missing, session)]
        if first:
            tables.append(costs_table(costs((HIT, NOT_MODIFIED, MISS), servers, session)))
    return tables


def service_settings(bench: Bench, url: str) -> dict[str, str]:
    """As in production, but silent, and with no worker replaced in the middle of a round."""
    return {
        "DATABASE_URL": url,
        "OPSBOARD_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "OPERATOR_TENANTS": "1",  # of the demo's two businesses
        "WEB_THREADS": str(bench.config.web_threads),
        "WEB_MAX_REQUESTS": "0",
        "LOG_LEVEL": "error",
    }


def prepare(environment: Environment, sessions: list[Session], server: Server) -> None:
    sessions.append(sign_in(server.address))
    sessions[0].store(environment.folder / "answer.json")
