"""What an answer takes from the database, counted rather than timed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from opsboard.bench.load.connections import Talk
from opsboard.bench.load.jobs import naming_etag
from opsboard.bench.scenarios import Scenario
from opsboard.bench.servers import Server
from opsboard.bench.subject import Subject
from opsboard.errors import CommandError

ASKED = 300
QUERIES = b"\r\nx-queries:"


@dataclass(frozen=True)
class Cost:
    """Of so many answers: statements they sent, and connections they took from the pool."""

    scenario: Scenario
    answers: int
    statements: int
    connections: int


def costs(scenarios: tuple[Scenario, ...], servers: dict[str, Server], subject: Subject) -> list[Cost]:
    return [cost(scenario, servers[scenario.contender.name], subject) for scenario in scenarios]


def cost(scenario: Scenario, server: Server, subject: Subject) -> Cost:
    """The workers' own count of connections lent, less those that reading it took."""
    request = subject.request(scenario).encode("latin-1")
    with Talk(server.address) as talk:
        if scenario.conditional:
            request = naming_etag(request, talk.ask(request))
        lent(talk, subject)
        before = lent(talk, subject)
        looking = lent(talk, subject) - before
        statements = 0
        for _ in range(ASKED):
            answer = talk.ask(request)
            if answer.status != scenario.status:
                raise CommandError(
                    f"{scenario.label}: answered {answer.status} instead of {scenario.status}."
                )
            head = answer.head.lower()
            at = head.index(QUERIES) + len(QUERIES)
            statements += int(head[at : head.index(b"\r\n", at)])
        taken = lent(talk, subject) - before - 2 * looking
    return Cost(scenario, ASKED, statements, taken)


def lent(talk: Talk, subject: Subject) -> int:
    """How often a connection was taken from the pool so far, by the worker that answers."""
    head = f"GET /api/health/db HTTP/1.1\r\nHost: opsboard\r\nAuthorization: Bearer {subject.token}\r\n\r\n"
    answer = talk.ask(head.encode("latin-1"))
    return int(json.loads(answer.body)["pool_stats"]["requests_num"])
