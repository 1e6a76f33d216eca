"""The scenarios: servers that can answer the dashboard's poll, and the request to each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

STATS = "/api/dashboard/stats"


@dataclass(frozen=True)
class Contender:
    """One server. `application` is a module of `contenders/`; None is the service, with these settings."""

    name: str
    application: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    # Programs a measurement needs.
    libraries: tuple[str, ...] = ()
    redis: bool = False
    # nginx in front of this contender, keeping its answers.
    behind_nginx: Contender | None = None

    @property
    def missing(self) -> str:
        """Why it cannot be measured here; empty when it can."""
        absent = [name for name in self.libraries if not find_spec(name)]
        if absent:
            return f"{', '.join(absent)} not installed (pip install opsboard[bench])"
        if self.redis and not redis_program():
            return "there is no redis-server or valkey-server here"
        if self.behind_nginx and not shutil.which("nginx"):
            return "there is no nginx here"
        return ""


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


def redis_program() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


# Long enough that no entry ends within a measurement; the database does not change in it.
OPSBOARD = Contender("opsboard", settings={"CACHE_TTL_STATS": "86400"})
UNCACHED = Contender("opsboard-uncached", settings={"CACHE_ENABLED": "off"})
NGINX = Contender("nginx", behind_nginx=OPSBOARD)
SIMPLE_CACHE = Contender("flask-caching", "flask_caching_app", libraries=("flask_caching",))
REDIS_CACHE = Contender("flask-redis", "flask_caching_app", libraries=("flask_caching", "redis"), redis=True)
DOGPILE = Contender("dogpile", "dogpile_app", libraries=("dogpile.cache",))

KEPT = ("X-Cache: HIT", "X-Queries: 0")
REFERENCE = Scenario("wsgi", "Bare WSGI callable", Contender("wsgi", "bare_wsgi"), expected=("X-Cache: HIT",))
# The least that a hit can cost: the same, without a thread of the pool.
AT_ONCE = Scenario(
    "wsgi-at-once",
    "Bare WSGI callable, in the worker's own thread",
    Contender("wsgi-at-once", "bare_wsgi", settings={"OPSBOARD_BENCH_AT_ONCE": "1"}),
    expected=("X-Cache: HIT",),
)
SIMPLE = Scenario("flask-caching", "Flask-Caching SimpleCache, PyJWT", SIMPLE_CACHE)
HIT = Scenario("hit", "Opsboard, cached hit", OPSBOARD, expected=KEPT)
NOT_MODIFIED = Scenario(
    "not-modified", "Opsboard, 304", OPSBOARD, conditional=True, status=304, expected=KEPT
)
MISS = Scenario(
    "miss", "Opsboard, miss (one statement)", UNCACHED, expected=("X-Cache: BYPASS", "X-Queries: 1")
)
SCENARIOS = (
    REFERENCE,
    AT_ONCE,
    Scenario("flask", "Bare Flask route, `jsonify`", Contender("flask", "bare_flask")),
    SIMPLE,
    Scenario("flask-redis", "Flask-Caching Redis, PyJWT", REDIS_CACHE),
    Scenario("dogpile", "dogpile.cache memory, PyJWT", DOGPILE),
    Scenario("nginx", "nginx micro-cache before Opsboard", NGINX, expected=("X-Micro-Cache: HIT",)),
    HIT,
    NOT_MODIFIED,
    MISS,
    Scenario(
        "health", "Opsboard, `/api/health`", OPSBOARD, path="/api/health", signed_in=False, expected=("X-Queries: 0",)
    ),
)  # fmt: skip


def contenders(scenarios: tuple[Scenario, ...]) -> list[Contender]:
    """The servers that must run. The service always does: the others answer what it answered."""
    options = {OPSBOARD.name: OPSBOARD} | {
        scenario.contender.name: scenario.contender for scenario in scenarios
    }
    return list(options.values())
