"""The statements and connections of an answer, counted instead of timed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from opsboard.errors import CommandError
from opsboard_bench.load.connections import HttpConnection
from opsboard_bench.load.jobs import naming_etag
from opsboard_bench.scenarios import Scenario
from opsboard_bench.servers import Server
from opsboard_bench.session import Session

ASKED = 300
QUERIES = b"\r\nx-queries:"


@dataclass(frozen=True)
class Cost:
    """Of so many answers: statements they sent, and connections they took from the pool."""

    scenario: Scenario
    answers: int
    statements: int
    connections: int


def costs(scenarios: tuple[Scenario, ...], servers: dict[str, Server], session: Session) -> list[Cost]:
    return [cost(scenario, servers[scenario.contender.name], session) for scenario in scenarios]


def cost(scenario: Scenario, server: Server, session: Session) -> Cost:
    """Return the workers' own count of checkouts, without those of reading it."""
    request = session.request(scenario).encode("latin-1")
    with HttpConnection(server.address) as connection:
        if scenario.conditional:
            request = naming_etag(request, connection.ask(request))
        checked_out(connection, session)
        before = checked_out(connection, session)
        looking = checked_out(connection, session) - before
        statements = 0
        for _ in range(ASKED):
            answer = connection.ask(request)
            if answer.status != scenario.status:
                raise CommandError(
                    f"{scenario.label}: answered {answer.status} instead of {scenario.status}."
                )
            head = answer.head.lower()
            at = head.index(QUERIES) + len(QUERIES)
            statements += int(head[at : head.index(b"\r\n", at)])
        taken = checked_out(connection, session) - before - 2 * looking
    return Cost(scenario, ASKED, statements, taken)


def checked_out(connection: HttpConnection, session: Session) -> int:
    """How often a connection was taken from the pool so far, by the worker that answers."""
    head = f"GET /api/health/db HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {session.token}\r\n\r\n"
    answer = connection.ask(head.encode("latin-1"))
    return int(json.loads(answer.body)["pool_stats"]["requests_num"])
