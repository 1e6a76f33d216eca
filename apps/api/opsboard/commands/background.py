"""Shared parts of the commands that work in the background until they are stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from opsboard.config import Config
from opsboard.db.addresses import service_url
from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.db.queries import load_queries
from opsboard.features.webhooks.deliverer import Deliverer
from opsboard.features.webhooks.sending import Sender

PATIENCE = 30.0  # seconds a statement about deliveries may take
REACHED = 5.0  # seconds the database may take to let us in


def make_deliverer(config: Config, database: Database) -> Deliverer:
    return Deliverer(
        database,
        Sender(config, database).send,
        config.webhook_timeout,
        load_queries("opsboard.features.dashboard").stats,
        config.digest_hour,
        config.delivery_days,
    )


@contextmanager
def sending(config: Config, stop: Event, interval: float) -> Iterator[None]:
    """Send webhooks and mail meanwhile, in a thread with a connection of its own."""
    with pool_of_one(service_url(config)) as pool:
        deliverer = make_deliverer(config, Database(pool, PATIENCE))
        thread = Thread(target=deliverer.run, args=(stop, interval), name="opsboard-outbox")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def pool_of_one(url: str) -> Iterator[Pool]:
    pool = Pool(0, 1, url, timeout=REACHED)
    try:
        yield pool
    finally:
        pool.closeall()


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """Set by Ctrl-C and SIGTERM: the batch at hand is finished first."""
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
