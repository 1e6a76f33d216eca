"""What is measured: servers that could answer the dashboard's poll, and what each is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STATS = "/api/dashboard/stats"


@dataclass(frozen=True)
class Contender:
    """One server. `application` is a module of `contenders/`; None is the service, with these settings."""

    name: str
    application: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One row of the tables: what is asked of whom, and what every answer must look like to be counted."""

    name: str
    label: str
    contender: Contender
    path: str = STATS
    signed_in: bool = True
    conditional: bool = False  # names the ETag of the answer it already has
    status: int = 200
    expected: tuple[str, ...] = ()


# Long enough that no entry ends within a measurement; the database does not change in it.
OPSBOARD = Contender("opsboard", settings={"CACHE_TTL_STATS": "86400"})
UNCACHED = Contender("opsboard-uncached", settings={"CACHE_ENABLED": "off"})

REFERENCE = Scenario("wsgi", "Bare WSGI callable", Contender("wsgi", "bare_wsgi"), expected=("X-Cache: HIT",))
HIT = Scenario("hit", "Opsboard, cached hit", OPSBOARD, expected=("X-Cache: HIT", "X-Queries: 0"))
SCENARIOS = (
    REFERENCE,
    Scenario("flask", "Bare Flask route, `jsonify`", Contender("flask", "bare_flask")),
    Scenario("flask-caching", "Flask-Caching, PyJWT", Contender("flask-caching", "flask_caching_app")),
    HIT,
    Scenario(
        "not-modified",
        "Opsboard, 304",
        OPSBOARD,
        conditional=True,
        status=304,
        expected=("X-Cache: HIT", "X-Queries: 0"),
    ),
    Scenario(
        "miss", "Opsboard, miss (one statement)", UNCACHED, expected=("X-Cache: BYPASS", "X-Queries: 1")
    ),
    Scenario(
        "health",
        "Opsboard, `/api/health`",
        OPSBOARD,
        path="/api/health",
        signed_in=False,
        expected=("X-Queries: 0",),
    ),
)  # fmt: skip


def chosen(names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The scenarios of these names, in the tables' order; all when none is named. The reference is always one."""
    if not names:
        return SCENARIOS
    return tuple(scenario for scenario in SCENARIOS if scenario.name in {REFERENCE.name, *names})


def contenders(scenarios: tuple[Scenario, ...]) -> list[Contender]:
    """The servers that must run. The service always does: the others answer what it answered."""
    wanted = {OPSBOARD.name: OPSBOARD} | {
        scenario.contender.name: scenario.contender for scenario in scenarios
    }
    return list(wanted.values())
