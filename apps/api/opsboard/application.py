"""Builds the application; the only module that knows all parts."""

from __future__ import annotations

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
from opsboard.db.addresses import service_url
from opsboard.db.businesses import Businesses
from opsboard.db.database import Database
from opsboard.db.export_cursor import Exports
from opsboard.db.lookout import Lookout
from opsboard.db.pool import Pool
from opsboard.db.query_watch import QueryWatch
from opsboard.db.server_status import ServerStatus
from opsboard.features import register_features
from opsboard.features.health.alert_measures import CERTIFICATE
from opsboard.features.health.alert_watch import AlertWatch
from opsboard.features.health.certificate import certificate_end
from opsboard.fleet.change_feed import ChangeFeed
from opsboard.fleet.maintenance import REST_INTERVAL, Maintenance
from opsboard.observability.durations import Durations
from opsboard.observability.logs import configure_logs
from opsboard.observability.tally import Tally, process_report
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
from opsboard.web.proxies import TrustedProxies
from opsboard.web.request_bodies import check_bodies
from opsboard.web.reserved import ThreadUse
from opsboard.web.role_guard import guard_role
from opsboard.web.scopes import assign_scopes
from opsboard.web.services import Services

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
    app.url_map.converters["id"] = IdConverter
    # An address has one spelling: `//` is 404, not a redirect in HTML.
    app.url_map.merge_slashes = False
    app.extensions["opsboard"] = services = make_services(config)
    describe_api(app)
    register_problems(app)
    watch_requests(app)
    register_features(app)
    for endpoint, view in app.view_functions.items():
        if setting := getattr(view, "max_entries", ""):
            services.store.limit(endpoint, getattr(config, setting))
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
    app.wsgi_app = TrustedProxies(fast_path, config.trusted_proxies)  # type: ignore[method-assign]
    return app


def make_services(config: Config) -> Services:
    """Build the parts and connect them."""
    url = service_url(config)
    secret, accepted = signing_secret(config), config.accepted_secrets
    # Shared by all pools: an answer or a failed attempt in one of them counts for the others too.
    status = ServerStatus(min(config.db_away_patience, config.db_pool_timeout))
    pool = Pool(
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
    tally, queries, threads = Tally(), Durations(), ThreadUse()
    watch = QueryWatch(queries, config.slow_query_ms)
    database = Database(pool, config.request_deadline, watch, config.db_prepared_statements)
    revocations = Revocations()
    shared = make_shared_cache(config, secret)
    store = Store(
        config.cache_max_entries,
        config.cache_max_bytes,
        stale_if_error=config.cache_stale_if_error,
        stale_while_revalidate=config.cache_stale_while_revalidate,
        in_sync=lambda: not change_feed.is_stale,
        shared=shared,
    )
    store.limit(totals.ENDPOINT, max(1, config.cache_max_entries // totals.SHARE))
    # A long deadline: no request waits for it.
    in_background = Database(
        Pool(0, 1, url, timeout=5.0, connect_timeout=3, status=status),
        deadline=30.0,
        watch=watch,
        prepared_statements=config.db_prepared_statements,
    )
    last_uses = LastUses(in_background)
    maintenance = Maintenance(in_background, rest_interval=REST_INTERVAL, chores=[last_uses.write_if_due])
    change_feed = ChangeFeed(
        # Its own connection, and a deadline well below the time after which a worker counts as stale.
        Database(
            Pool(0, 1, url, timeout=1.0, connect_timeout=1, status=status),
            deadline=1.0,
            watch=watch,
            prepared_statements=config.db_prepared_statements,
        ),
        config.pulse_ms / 1000,
        Subscribers(store, revocations, maintenance),
        report=lambda: {
            **process_report(tally, queries),
            "request_threads": threads.report(),
            "slot": change_feed.slot,
            "sign_ins": sign_in.journal.counts(),
            "change_lag": round(change_feed.longest_gap, 3),
            "oldest_running": change_feed.oldest_running,
            "pool": {**pool.reference_stats(), **pool.get_stats()},
            "cache": {
                **store.stats(),
                "second_level": shared.statistics() if shared else {"state": "off"},
            },
        },
        answered=lambda: tally.counts()["requests"],
    )
    businesses = Businesses()
    attempts = Attempts(database, config.login_attempts)
    tokens = Tokens(secret, config.token_ttl, session_longest=config.session_longest, accepted=accepted)
    api_tokens = ApiTokens(secret, revocations, accepted=accepted)
    sign_in = SignIn(database, tokens, revocations, attempts, Journal(database), api_tokens, last_uses)
    lookout = Lookout(
        # Its statements are several in one, which cannot be prepared.
        Database(Pool(0, 2, url, timeout=0.5, max_idle=60, connect_timeout=1), 1.0, watch, 0),
        config.health_patience_ms / 1000,
        is_alive=lambda: (
            change_feed.lag is not None and change_feed.lag < ALIVE_INTERVALS * config.pulse_ms / 1000
        ),
    )
    return Services(
        config=config,
        secret=secret,
        database=database,
        exports=Exports(pool, config.export_most, config.export_deadline, businesses),
        businesses=businesses,
        store=store,
        shared=shared,
        sign_in=sign_in,
        devices=Devices(secret, accepted),
        password_links=PasswordLinks(database, attempts, secret, accepted),
        change_feed=change_feed,
        maintenance=maintenance,
        tally=tally,
        lookout=lookout,
        operators=Operators(config, lookout),
        threads=threads,
        alerts=AlertWatch(
            lookout,
            worker_id=lambda: change_feed.worker.id,
            checks={CERTIFICATE: certificate_end(config.public_url)} if config.public_url else {},
        ),
    )


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
