"""The connections of one worker: a pool for each purpose."""

from __future__ import annotations

from typing import NamedTuple

from opsboard.config import Config
from opsboard.db.addresses import service_url
from opsboard.db.database import Database
from opsboard.db.plan_samples import PlanSamples
from opsboard.db.pool import Pool
from opsboard.db.query_watch import QueryWatch
from opsboard.db.server_status import ServerStatus
from opsboard.observability.durations import Durations

# Of the statements about the server those that are sent again and again: what alerts are decided by.
HEALTH_PREPARED = 4


class Databases(NamedTuple):
    """The same server for each purpose, with connections and a deadline of its own."""

    requests: Database
    background: Database
    changes: Database
    health: Database
    samples: PlanSamples


def make_databases(config: Config, durations: Durations) -> Databases:
    """Make the pools. They open no connection before one is asked for."""
    url, watch = service_url(config), QueryWatch(durations, config.slow_query_ms)
    # Shared by all pools but that of health: an answer or a failed attempt in one of them counts for the others too.
    status = ServerStatus(min(config.db_away_patience, config.db_pool_timeout))
    requests = Pool(
        config.db_pool_min_connections,
        config.db_pool_max_connections,
        url,
        timeout=config.db_pool_timeout,
        max_waiting=config.db_pool_max_waiting,
        max_idle=config.db_pool_max_idle,
        max_lifetime=config.db_pool_max_lifetime,
        leak_seconds=config.db_leak_seconds,
        connect_timeout=config.db_connect_timeout,
        status=status,
    )
    background = Pool(0, 1, url, timeout=5.0, connect_timeout=3, status=status)
    changes = Pool(0, 1, url, timeout=1.0, connect_timeout=1, status=status)
    health = Pool(0, 2, url, timeout=0.5, max_idle=60, connect_timeout=1)
    prepared = config.db_prepared_statements
    # By no watch, so that a slow plan is no slow query; EXPLAIN cannot be prepared.
    samples = watch.samples = PlanSamples(Database(background, 30.0, prepared_statements=0))
    return Databases(
        requests=Database(requests, config.request_deadline, watch, prepared),
        # A long deadline: no request waits for it.
        background=Database(background, 30.0, watch, prepared),
        # A deadline well below the time after which a worker counts as stale.
        changes=Database(changes, 1.0, watch, prepared),
        health=Database(health, 1.0, watch, min(prepared, HEALTH_PREPARED)),
        samples=samples,
    )
