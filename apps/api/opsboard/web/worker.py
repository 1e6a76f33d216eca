"""Start and stop of a gunicorn worker and its background threads."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
import time
from contextlib import suppress

import structlog
from flask import Flask

from opsboard.errors import OpsboardError
from opsboard.observability.performance import log_system_metrics, timeit
from opsboard.web.role_guard import guard_role
from opsboard.web.services import Services

log = structlog.get_logger(__name__)

M_MMAP_THRESHOLD = -3  # of <malloc.h>
LARGE_BLOCK = 1 << 20  # bytes
LOOK_EVERY = 0.5  # seconds
LAST_REQUESTS = 2.0  # seconds


@timeit
def begin_worker(app: Flask, master: int, slot: int | None = None) -> None:
    """Start the threads of this process; a fork ends threads, so a preloaded application has none yet.

    `slot` numbers the master's workers; one that is replaced leaves its number to the next.
    """
    give_large_blocks_back()
    guard_role(app)
    threading.Thread(target=end_without, args=(master,), name="opsboard-master-watch", daemon=True).start()
    services: Services = app.extensions["opsboard"]
    services.database.pool.fill()
    services.change_feed.slot = slot
    services.change_feed.start()
    services.maintenance.start()
    services.alerts.start()
    if services.shared:
        services.shared.link.start()
    leave_out_of_collections()


def leave_out_of_collections() -> None:
    """Keep Python's garbage collector from walking over the application again and again.

    Modules, routes, models and queries are there until the end. A full collection that looks at all of them stops every
    thread of the worker for 60 ms and more.
    """
    gc.freeze()


def give_large_blocks_back() -> None:
    """Let blocks of 1 MiB or more be mapped on their own, so that they go back to the system when they are freed.

    glibc raises its threshold to the largest block that was freed. After the first password hash the 19 MiB of each
    would be taken from the heap of its thread, and stay there.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def end_worker(app: Flask) -> None:
    """The last request is answered: end the threads and say goodbye to the database."""
    log_system_metrics()
    services: Services = app.extensions["opsboard"]
    services.change_feed.stop()
    with suppress(OpsboardError):
        services.usage.write()
    services.maintenance.stop()
    services.alerts.stop()
    if services.shared:
        services.shared.lookups.report()
        services.shared.link.stop()
    services.lookout.stop()
    if services.traces:
        services.traces.stop()
    services.database.pool.closeall()


def end_without(master: int) -> None:
    """End this process soon after its master is gone: it listens too, and would keep the next master out.

    gunicorn's own look at its parent waits for requests under way, and for threads that hang even longer.
    """
    while os.getppid() == master:
        time.sleep(LOOK_EVERY)
    log.error("master is gone, worker ends", advice="let the service manager start it again")
    time.sleep(LAST_REQUESTS)
    os._exit(1)
