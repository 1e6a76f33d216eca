"""Builds the application; the only module that knows all parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask

from opsboard import __version__
from opsboard.auth.api_tokens import ApiTokens
from opsboard.auth.attempts import Attempts
from opsboard.auth.devices import Devices
from opsboard.auth.journal import Journal
from opsboard.auth.last_use import LastUses
from opsboard.auth.password_links import PasswordLinks
from opsboard.auth.revocations import Revocations
from opsboard.auth.sign_in import SignIn
from opsboard.auth.tokens import Tokens
from opsboard.cache.code_digest import code_digest
from opsboard.cache.envelope import Envelope
from opsboard.cache.horizon import Horizon
from opsboard.cache.link import Link
from opsboard.cache.shared import SharedCache
from opsboard.cache.store import Store
from opsboard.config import Config, load_config
from opsboard.db.businesses import Businesses
from opsboard.db.database import Database
from opsboard.db.databases import make_databases
from opsboard.db.export_cursor import Exports
from opsboard.db.lookout import Lookout
from opsboard.db.write_pause import WritePause
from opsboard.errors import ConfigError
from opsboard.features import register_features
from opsboard.features.batch.routes import INNER
from opsboard.features.health.alert_measures import CERTIFICATE
from opsboard.features.health.alert_watch import AlertWatch
from opsboard.features.health.certificate import certificate_end
from opsboard.features.webhooks.openapi import describe_events
from opsboard.fleet.change_feed import ChangeFeed
from opsboard.fleet.maintenance import REST_INTERVAL, Maintenance
from opsboard.fleet.usage_writer import UsageWriter
from opsboard.observability.durations import Durations
from opsboard.observability.logs import configure_logs
from opsboard.observability.tally import Tally, process_report
from opsboard.observability.tracing import Traces, missing_packages
from opsboard.secret import derived_key, signing_secret
from opsboard.web import totals
from opsboard.web.access import open_to_all
from opsboard.web.arguments import IdConverter
from opsboard.web.arriving import LARGEST_BODY
from opsboard.web.fast_path import FastPath
from opsboard.web.lifecycle import watch_requests
from opsboard.web.openapi import describe_api
from opsboard.web.operators import Operators
from opsboard.web.problems import register_problems
from opsboard.web.profiling import profile_requests, want_profile
from opsboard.web.proxies import TrustedProxies
from opsboard.web.request_bodies import check_bodies
from opsboard.web.reserved import ThreadUse
from opsboard.web.role_guard import guard_role
from opsboard.web.scopes import assign_scopes
from opsboard.web.services import Services
from opsboard.web.url_rules import UrlRule

# A server that answered within this many intervals of the change feed is not frozen.
ALIVE_INTERVALS = 3


def make_app(config: Config | None = None) -> APIFlask:
    """Build the application. Opens no connection and starts no thread; the worker does that.

    Raises ConfigError when settings are wrong.
    """
    config = config or load_config()
    configure_logs(config.log_level, config.log_format)
    app = APIFlask(
        __name__,
        title="Opsboard",
        version=__version__,
        docs_path=None,
        spec_path="/api/openapi.json",
        static_folder=None,  # type: ignore[arg-type]  # features/pages serves its own
    )
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_rule_class = UrlRule
    app.url_map.converters["id"] = IdConverter
    # An address has one spelling: `//` is 404, not a redirect in HTML.
    app.url_map.merge_slashes = False
    app.extensions["opsboard"] = services = make_services(config)
    describe_api(app, describe_events)
    register_problems(app)
    watch_requests(app, before_arguments=want_profile)
    profile_requests(app)
    register_features(app)
    limit_entries(app, services.store, config)
    guard_role(app)
    open_to_all(app.view_functions["openapi.spec"])
    assign_scopes(app)
    # Inside the proxies' layer, which sets the scheme that the caller used.
    fast_path = FastPath(
        check_bodies(app.wsgi_app),
        services.sign_in,
        services.store,
        services.tally,
        is_away=lambda: services.database.pool.is_away,
    )
    app.extensions[INNER] = fast_path
    app.wsgi_app = TrustedProxies(fast_path, config.trusted_proxies)  # type: ignore[method-assign]
    return app


def limit_entries(app: APIFlask, store: Store, config: Config) -> None:
    """Give each view that declares `max_entries` its part of the cache."""
    for endpoint, view in app.view_functions.items():
        if setting := getattr(view, "max_entries", ""):
            store.limit(endpoint, getattr(config, setting))


def make_services(config: Config) -> Services:
    """Build the parts and connect them."""
    secret, accepted = signing_secret(config), config.accepted_secrets
    tally, durations, threads = Tally(), Durations(), ThreadUse()
    databases = make_databases(config, durations)
    shared, revocations, businesses = make_shared_cache(config, secret), Revocations(), Businesses()
    store = make_store(config, shared, in_sync=lambda: not change_feed.is_stale)
    uses = LastUses(databases.background)
    write_pause = WritePause(databases.background)
    usage = UsageWriter(databases.background, tally.usage)
    chores = [
        uses.write_if_due,
        usage.write_if_due,
        write_pause.look_if_due,
        databases.samples.explain_if_due,
    ]
    maintenance = Maintenance(databases.background, rest_interval=REST_INTERVAL, chores=chores)
    change_feed = ChangeFeed(
        databases.changes,
        config.pulse_ms / 1000,
        Subscribers(store, revocations, maintenance),
        report=lambda: worker_report(services, durations),
        answered=lambda: tally.counts()["requests"],
    )
    attempts, journal = Attempts(databases.requests, config.login_attempts), Journal(databases.requests)
    tokens = Tokens(secret, config.token_ttl, session_longest=config.session_longest, accepted=accepted)
    api_tokens = ApiTokens(secret, revocations, accepted=accepted)
    lookout = make_lookout(config, databases.health, change_feed)
    services = Services(
        config=config,
        secret=secret,
        database=databases.requests,
        exports=Exports(databases.requests.pool, config.export_most, config.export_deadline, businesses),
        businesses=businesses,
        store=store,
        shared=shared,
        sign_in=SignIn(databases.requests, tokens, revocations, attempts, journal, api_tokens, uses),
        devices=Devices(secret, accepted),
        password_links=PasswordLinks(databases.requests, attempts, secret, accepted),
        change_feed=change_feed,
        maintenance=maintenance,
        write_pause=write_pause,
        tally=tally,
        usage=usage,
        traces=make_traces(config),
        lookout=lookout,
        operators=Operators(config, lookout),
        threads=threads,
        alerts=make_alerts(config, lookout, change_feed),
    )
    return services


def make_store(config: Config, shared: SharedCache | None, in_sync: Callable[[], bool]) -> Store:
    """Make the cache of this worker."""
    store = Store(
        config.cache_max_entries,
        config.cache_max_bytes,
        stale_if_error=config.cache_stale_if_error,
        stale_while_revalidate=config.cache_stale_while_revalidate,
        in_sync=in_sync,
        shared=shared,
    )
    store.limit(totals.ENDPOINT, max(1, config.cache_max_entries // totals.SHARE))
    return store


def make_lookout(config: Config, database: Database, change_feed: ChangeFeed) -> Lookout:
    """Make what reads the server's own statistics for the health endpoints."""
    longest_lag = ALIVE_INTERVALS * config.pulse_ms / 1000
    return Lookout(
        database,
        config.health_patience_ms / 1000,
        is_alive=lambda: change_feed.lag is not None and change_feed.lag < longest_lag,
    )


def make_alerts(config: Config, lookout: Lookout, change_feed: ChangeFeed) -> AlertWatch:
    """Make the watch of the alerts, with the certificate among them if the service has a public address."""
    checks = {CERTIFICATE: certificate_end(config.public_url)} if config.public_url else {}
    return AlertWatch(
        lookout,
        worker_id=lambda: change_feed.worker.id,
        checks=checks,
        is_resting=lambda: change_feed.is_resting,
        operators=config.operator_tenants,
    )


def make_traces(config: Config) -> Traces | None:
    """The traces, if TRACES is on. Raises ConfigError when the packages are missing."""
    if not config.traces:
        return None
    if missing_packages():
        raise ConfigError(
            ["TRACES is on, but its packages are not installed: pip install 'opsboard[traces]'"]
        )
    return Traces(__version__)


def worker_report(services: Services, durations: Durations) -> dict[str, Any]:
    """Return the state of this worker that the health endpoints of every worker show."""
    change_feed, pool, shared = services.change_feed, services.database.pool, services.shared
    return {
        **process_report(services.tally, durations),
        "request_threads": services.threads.report(),
        "slot": change_feed.slot,
        "writes_paused": services.write_pause.current is not None,
        "sign_ins": services.sign_in.journal.counts(),
        "change_lag": round(change_feed.longest_gap, 3),
        "oldest_running": change_feed.oldest_running,
        "pool": {**pool.reference_stats(), **pool.get_stats()},
        "cache": {
            **services.store.stats(),
            "second_level": shared.statistics() if shared else {"state": "off"},
        },
    }


def make_shared_cache(config: Config, secret: str) -> SharedCache | None:
    """The second level, when CACHE_URL names one."""
    if not config.cache_enabled or not config.cache_url:
        return None
    envelope = Envelope(derived_key(secret, "opsboard shared cache"), code_digest())
    return SharedCache(Link(config.cache_url), envelope, Horizon())


@dataclass
class Subscribers:
    """Passes what the change feed reads to the parts that depend on it."""

    store: Store
    revocations: Revocations
    maintenance: Maintenance

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        self.store.observe_server(asked, epoch, snapshot, server_clock)

    def apply_changes(self, tenant_id: int, newest: dict[str, int]) -> None:
        self.store.apply_changes(tenant_id, newest)
        self.maintenance.note_change()

    def revoke(self, row: dict[str, Any]) -> None:
        self.revocations.add(**row)

    def clear(self, prefix: str | None, xid: int | None) -> None:
        self.store.apply_clear(prefix, xid)

    def reset(self) -> None:
        self.store.reset()

    def mark_current(self, asked: float) -> None:
        self.store.mark_current(asked)
        self.revocations.mark_current(asked)
