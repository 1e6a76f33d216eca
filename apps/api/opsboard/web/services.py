"""The services of a request: made once per application, available anywhere in a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flask import current_app, g, request

from opsboard.auth.devices import Devices
from opsboard.auth.identity import Identity
from opsboard.auth.password_links import PasswordLinks
from opsboard.auth.sign_in import SignIn
from opsboard.cache.shared import SharedCache
from opsboard.cache.store import Store
from opsboard.config import Config
from opsboard.db.businesses import Businesses
from opsboard.db.database import Database
from opsboard.db.export_cursor import Exports
from opsboard.db.lookout import Lookout
from opsboard.db.write_pause import WritePause
from opsboard.fleet.change_feed import ChangeFeed
from opsboard.fleet.maintenance import Maintenance
from opsboard.fleet.usage_writer import UsageWriter
from opsboard.observability import record
from opsboard.observability.tally import Tally
from opsboard.observability.tracing import Traces
from opsboard.web.operators import Operators
from opsboard.web.reserved import ThreadUse


class Away(Protocol):
    """Since when the database does not answer."""

    @property
    def since(self) -> float: ...
    @property
    def is_firing(self) -> bool: ...


class Alerts(Protocol):
    """The part of the watch over alerts that routes and the worker use; the watch belongs to a feature."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def check(self) -> None: ...
    def note(self, name: str, value: float) -> None: ...
    @property
    def away(self) -> Away | None: ...


@dataclass(frozen=True)
class Services:
    """The parts of one application, put together by create_app."""

    config: Config
    secret: str
    database: Database
    exports: Exports
    businesses: Businesses
    store: Store
    shared: SharedCache | None
    sign_in: SignIn
    devices: Devices
    password_links: PasswordLinks
    change_feed: ChangeFeed
    maintenance: Maintenance
    write_pause: WritePause
    tally: Tally
    usage: UsageWriter
    traces: Traces | None
    lookout: Lookout
    operators: Operators
    threads: ThreadUse
    alerts: Alerts


def services() -> Services:
    """The parts of the application that answers this request."""
    found: Services = current_app.extensions["opsboard"]
    return found


def deadline() -> float | None:
    """Until when this request may wait, as the monotonic clock tells it; None outside of one."""
    current = record.current()
    return current.started + services().config.request_deadline if current else None


def identity() -> Identity:
    """Return the identity of the caller. Only for views that require sign-in."""
    found: Identity = g.identity
    return found


def public_address() -> str:
    """The address at which people reach the service, without a slash at its end.

    Without the setting PUBLIC_URL it has the name that the caller used, which is the caller's word.
    """
    return services().config.public_url or request.host_url.rstrip("/")
