"""Every setting: its name, what it is for, its default, and how its text becomes a value."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

# The value that `.env.example` once had, so anybody can sign with it: refused in every mode.
PLACEHOLDER_SECRET = "change-me-change-me-change-me-change-me"
SHORTEST_SECRET = 32  # bytes; RFC 7518 section 3.2 asks for a key as long as the hash of HS256

MAIL_ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9.-]+")

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Setting:
    """One setting: its environment name, how its text becomes a value, its default and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: Any
    help: str
    group: str
    secret: bool = False
    # Other spellings that mean the same, strongest first; `opsboard doctor` tells which one won.
    aliases: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of the setting that says in which file a secret is."""
        return f"{self.name}_FILE"


def text(value: str) -> str:
    return value


def integer(low: int, high: int) -> Callable[[str], int]:
    return within(int, low, high, f"a whole number from {low} to {high}")


def seconds(low: float, high: float) -> Callable[[str], float]:
    return within(float, low, high, f"a number of seconds from {low:g} to {high:g}")


def within(kind: Callable[[str], Number], low: Number, high: Number, wanted: str) -> Callable[[str], Number]:
    def read(value: str) -> Number:
        try:
            number: Number | None = kind(value)
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise ValueError(f"must be {wanted}")
        return number

    return read


def boolean(value: str) -> bool:
    known = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if value.lower() not in known:
        raise ValueError("must be one of 1, true, yes, on, 0, false, no, off")
    return known[value.lower()]


def one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return read


def ids(value: str) -> tuple[int, ...]:
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError("must be ids with commas between, like 1 or 1,7")
    return tuple(int(part) for part in parts)


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(","))
    except ValueError:
        raise ValueError(
            "must be networks with commas between, like 10.20.0.0/16 or 127.0.0.1/32,::1/128"
        ) from None


def mail_address(value: str) -> str:
    if not MAIL_ADDRESS.fullmatch(value):
        raise ValueError("must be one e-mail address, like opsboard@ops.example")
    return value


def database_url(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError(
            "must start with postgresql://, for example postgresql://opsboard_app@db.example/opsboard"
        )
    return value


def public_url(value: str) -> str:
    parts = urlsplit(value)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError("must be like https://ops.example")
    return value.rstrip("/")


def cache_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        known = (
            parts.scheme in ("redis", "rediss", "unix") and (parts.hostname or parts.path) and parts.port != 0
        )
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            "must be like redis://host:6379/0, rediss://:password@host:6379/0 or unix:///run/redis.sock"
        )
    return value


def document_store(value: str) -> str:
    """A folder, or an address of a kind that fsspec knows and whose library is installed."""
    if "://" not in value:
        if not value.startswith(("/", "~")):
            raise ValueError("must be a folder by its whole path, or an address like s3://bucket/prefix")
        return value
    from fsspec import get_filesystem_class  # type: ignore[import-untyped]

    try:
        get_filesystem_class(value.partition("://")[0])
    except (ImportError, ValueError) as error:
        raise ValueError(f"names a store that cannot be used here ({error})") from error
    return value


def default_data_folder() -> str:
    """Return the folder of the embedded database; for root outside the home directory, which Postgres cannot enter."""
    if os.geteuid() == 0:
        return "/var/lib/opsboard"
    return "~/.local/share/opsboard"


SETTINGS: tuple[Setting, ...] = (
    Setting("OPSBOARD_ENV", one_of("development", "production"), "development",
            "production refuses to start with unsafe settings.", "Service"),
    Setting("SECRET_KEY", text, "",
            f"Signs tokens, cursors and links; {SHORTEST_SECRET} bytes or more, the same on every machine. "
            "Empty in development: one is made and kept in OPSBOARD_DATA.", "Service", secret=True),
    Setting("SECRET_KEYS", text, "",
            "Other keys whose signatures are valid, with commas between: during a change of SECRET_KEY the next one "
            "and the one before (docs/operations.md).", "Service", secret=True),
    Setting("OPSBOARD_DEBUG", boolean, False, "Shows details of errors to the client; never in production.", "Service"),
    Setting("OPSBOARD_DATA", text, "",
            "Folder of the embedded database and its secrets; "
            "~/.local/share/opsboard, or /var/lib/opsboard for root, when empty.", "Service"),
    Setting("LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info", "How much is logged.", "Service"),
    Setting("LOG_FORMAT", one_of("text", "json"), "text", "One line of text or one of JSON per event.", "Service"),
    Setting("TRACES", boolean, False,
            "Sends a trace of each request by OpenTelemetry to OTEL_EXPORTER_OTLP_ENDPOINT; needs the extra `traces`.",
            "Service"),
    Setting("OPERATOR_TENANTS", ids, (),
            "Ids of the businesses whose admins see and clear what belongs to the whole service (/health/db, cache, "
            "indexes, tables, queries). Empty: admins of the only business; of several none in production, of every "
            "one in development.", "Sign-in"),
    Setting("TOKEN_TTL", integer(60, 604800), 43200, "Seconds a sign-in lasts without being used.", "Sign-in"),
    Setting("SESSION_LONGEST", integer(60, 31_536_000), 2_592_000,
            "Seconds a sign-in lasts however much it is used: the page renews it by use until then.", "Sign-in"),
    Setting("LOGIN_ATTEMPTS", integer(1, 10000), 10,
            "Failed sign-ins per account and address in five minutes before 429.", "Sign-in"),
    Setting("COOKIE_SECURE", boolean, False,
            "Sends the page's cookie over https only; on by itself when the request came by https.", "Sign-in"),
    Setting("DATABASE_URL", database_url, "",
            "The database as the service uses it, by a role that owns nothing and cannot bypass row security. "
            "Empty: the embedded Postgres.", "Database", secret=True),
    Setting("DATABASE_OWNER_URL", database_url, "",
            "The same database as the owner of the tables, for `opsboard migrate`; DATABASE_URL when empty.",
            "Database", secret=True),
    Setting("DATABASE_BACKUP_URL", database_url, "",
            "The same database by a role that row security does not bind, for `opsboard backup` and `opsboard restore` "
            "only: postgresql:///opsboard as the system's user postgres. Empty: the embedded Postgres's own.",
            "Database", secret=True),
    Setting("DB_POOL_MIN_CONNECTIONS", integer(0, 1000), 2,
            "Connections a worker opens at its start and keeps open when idle.", "Database",
            aliases=("DB_MIN_CONNECTIONS", "DB_POOL_SIZE")),
    Setting("DB_POOL_MAX_CONNECTIONS", integer(1, 1000), 10,
            "Most connections of one worker. The server needs workers x this + workers.",
            "Database", aliases=("DB_MAX_CONNECTIONS", "DB_POOL_SIZE+DB_MAX_OVERFLOW")),
    Setting("DB_POOL_TIMEOUT", seconds(0.01, 600), 5.0, "Seconds a request waits for a connection, then 503.",
            "Database"),
    Setting("DB_AWAY_PATIENCE", seconds(0, 600), 1.0,
            "Seconds requests wait for a server that refuses connections, counted from the first refusal, at most "
            "DB_POOL_TIMEOUT. Then they are answered 503 or STALE at once, until it is back.", "Database"),
    Setting("DB_POOL_MAX_WAITING", integer(0, 100000), 200, "Requests that may wait at once; more get 503 at once.",
            "Database"),
    Setting("DB_POOL_MAX_IDLE", seconds(1, 86400), 600.0,
            "Seconds an unused connection above the minimum stays open.", "Database"),
    Setting("DB_POOL_MAX_LIFETIME", seconds(1, 604800), 3600.0, "Seconds after which a connection is replaced.",
            "Database"),
    Setting("DB_PREPARED_STATEMENTS", integer(0, 10000), 150,
            "Statements that each connection keeps prepared, so that they are not planned again; 0: none. Not used "
            "behind a pooler.", "Database"),
    Setting("DB_LEAK_SECONDS", seconds(0.1, 86400), 60.0,
            "A connection held longer is reported in the log with the stack that took it.", "Database"),
    Setting("DB_CONNECT_TIMEOUT", integer(1, 60), 3, "Seconds one attempt to connect may take.", "Database"),
    Setting("REQUEST_DEADLINE", seconds(0.1, 600), 10.0,
            "Seconds a request may spend in the database, all statements together, then 504.", "Database"),
    Setting("EXPORT_DEADLINE", seconds(1, 86400), 600.0,
            "Seconds an export of a list may take, until it is broken off.", "Database"),
    Setting("EXPORT_MOST", integer(1, 100), 2,
            "Exports of one worker at a time, and at most half of its connections; more get 503.", "Database"),
    Setting("SLOW_QUERY_MS", integer(0, 600_000), 1000,
            "A query that takes this long is a line in the log, with its name and request id; 0: none is.",
            "Database"),
    Setting("HEALTH_PATIENCE_MS", integer(10, 60_000), 150,
            "Milliseconds an answer about health waits for the database, all statements together; then it says what "
            "was known last.", "Database"),
    Setting("CACHE_ENABLED", boolean, True, "Off: no answer is cached.", "Cache"),
    Setting("CACHE_MAX_ENTRIES", integer(1, 10_000_000), 10_000, "Most bodies one worker keeps.", "Cache"),
    Setting("CACHE_MAX_BYTES", integer(1024, 1 << 40), 64 << 20, "Most bytes of bodies one worker keeps.", "Cache"),
    Setting("CACHE_TTL_STATS", seconds(0, 86400), 30.0, "Seconds /api/dashboard/stats is kept.", "Cache"),
    Setting("CACHE_TTL_RECENT_JOBS", seconds(0, 86400), 60.0, "Seconds /api/dashboard/recent-jobs is kept.", "Cache"),
    Setting("CACHE_TTL_JOBS_BY_STATUS", seconds(0, 86400), 120.0,
            "Seconds /api/dashboard/chart/jobs-by-status is kept.", "Cache"),
    Setting("CACHE_TTL_JOBS_BY_MONTH", seconds(0, 86400), 300.0,
            "Seconds /api/dashboard/chart/jobs-by-month is kept.", "Cache"),
    Setting("CACHE_TTL_SETTINGS", seconds(0, 86400), 600.0, "Seconds /api/settings is kept.", "Cache"),
    Setting("CACHE_TTL_TENANT", seconds(0, 86400), 600.0, "Seconds /api/tenant is kept.", "Cache"),
    Setting("CACHE_MAX_SETTINGS", integer(1, 10_000_000), 1000,
            "Most bodies of /api/settings one worker keeps, and as many of /api/tenant.", "Cache"),
    Setting("CACHE_TTL_DOCUMENT_ANALYTICS", seconds(0, 86400), 300.0, "Seconds /api/documents/analytics is kept.",
            "Cache"),
    Setting("CACHE_TTL_JOURNEY_NODES", seconds(0, 86400), 300.0,
            "Seconds a journey and its nodes are kept; a change of either ends it sooner.", "Cache"),
    Setting("CACHE_TTL_JOB_STATUS", seconds(0, 86400), 60.0,
            "Seconds the status of a job behind a link is kept.", "Cache"),
    Setting("CACHE_TTL_LISTS", seconds(0, 86400), 60.0,
            "Seconds a page of a list is kept; a change of what is in it ends it sooner. All pages together have half "
            "of the cache, and one user a sixteenth of that.", "Cache"),
    Setting("CACHE_TTL_TOTALS", seconds(0, 86400), 300.0,
            "Seconds the total of a list is kept where it had to be counted; a change of the list ends it sooner.",
            "Cache"),
    Setting("CACHE_STALE_IF_ERROR", seconds(0, 86400), 300.0,
            "Seconds after its TTL a body may still be given, marked STALE, while the database is away.", "Cache"),
    Setting("CACHE_STALE_WHILE_REVALIDATE", seconds(0, 86400), 5.0,
            "Seconds after its TTL an unchanged answer may still be served, marked STALE, while it is recomputed.",
            "Cache"),
    Setting("CACHE_URL", cache_url, "",
            "Redis or Valkey, where workers and machines share what they have made: redis://, rediss:// or unix://. "
            "Needs the extra opsboard[redis]. Empty: each worker keeps its own.", "Cache", secret=True),
    Setting("PULSE_MS", integer(10, 1000), 50,
            "Milliseconds between two looks of a worker for what the others changed.", "Cache"),
    Setting("JOURNEY_MESSAGES_PER_HOUR", integer(1, 1000), 4,
            "Most messages a journey has for one contact in any hour, where the journey does not say.", "Journeys"),
    Setting("JOURNEY_LOOP_WINDOW", seconds(1, 119), 60.0,
            "A contact is stopped before a node is executed for the fourth time in so many seconds. Two of the "
            "shortest waits take 120, so none is stopped that rests on its way.", "Journeys"),
    Setting("DOCUMENT_STORE", document_store, "",
            "Where the contents of documents are stored: a folder that all workers share, or an address of a store "
            "that fsspec knows, such as s3://bucket/prefix (install s3fs beside it). Empty: contents are not stored.",
            "Documents"),
    Setting("DOCUMENT_MAX_BYTES", integer(1, 1 << 30), 25 << 20,
            "Most bytes of the content of one document; more is 413. nginx has the same limit in its own file.",
            "Documents"),
    Setting("IMPORT_MAX_BYTES", integer(1, 1 << 30), 20 << 20,
            "Most bytes of the files of one import over the page or the API; more is 413. nginx has the same limit in "
            "its own file. The command line has none.", "Import"),
    Setting("WEBHOOK_NETWORKS", networks, (),
            "Networks beside public addresses that webhooks may be sent to, with commas between, such as "
            "10.20.0.0/16; to these also by http://. Empty: public addresses by https:// only.", "Webhooks and mail"),
    Setting("WEBHOOK_TIMEOUT", seconds(0.1, 120), 10.0,
            "Seconds one attempt at a delivery may take, whatever the receiver does.", "Webhooks and mail"),
    Setting("DELIVERY_DAYS", integer(4, 3650), 30,
            "Days after which deliveries that have ended are removed from the log.", "Webhooks and mail"),
    Setting("DIGEST_HOUR", integer(0, 23), 6,
            "The hour, in the time of the business, from which the daily digest of the board is sent.",
            "Webhooks and mail"),
    Setting("SMTP_HOST", text, "",
            "The server that takes our mail; needs MAIL_FROM and PUBLIC_URL. Empty: no mail is sent.",
            "Webhooks and mail"),
    Setting("SMTP_PORT", integer(1, 65535), 587, "Its port.", "Webhooks and mail"),
    Setting("SMTP_TLS", one_of("starttls", "tls", "none"), "starttls",
            "starttls (port 587), tls from the first byte (port 465), or none.", "Webhooks and mail"),
    Setting("SMTP_USER", text, "", "The user to sign in as. Empty: nobody signs in.", "Webhooks and mail"),
    Setting("SMTP_PASSWORD", text, "", "The password of SMTP_USER.", "Webhooks and mail", secret=True),
    Setting("MAIL_FROM", mail_address, "", "The address that mail comes from: opsboard@ops.example.",
            "Webhooks and mail"),
    Setting("HOST", text, "127.0.0.1", "Address gunicorn listens on.", "Server"),
    Setting("PORT", integer(0, 65535), 8000, "Port gunicorn listens on.", "Server"),
    Setting("BIND", text, "", "Instead of HOST and PORT: unix:/run/opsboard/opsboard.sock behind nginx.", "Server"),
    Setting("WEB_CONCURRENCY", integer(1, 256), 2, "Worker processes.", "Server"),
    Setting("WEB_THREADS", integer(1, 256), 8, "Threads per worker.", "Server"),
    Setting("WEB_MAX_REQUESTS", integer(0, 10_000_000), 100_000,
            "Requests after which a worker is replaced (with 10 % jitter); 0: never.", "Server"),
    Setting("WEB_GRACEFUL_TIMEOUT", integer(1, 600), 30, "Seconds a worker may finish its requests on stop.", "Server"),
    Setting("TRUSTED_PROXIES", text, "unix",
            "Whose X-Forwarded-* headers are believed: unix (a proxy on the unix socket), none, or addresses "
            "with commas between.", "Server"),
    Setting("PUBLIC_URL", public_url, "",
            "Address that people reach the service by, for links to the status of a job and the codes of travellers: "
            "https://ops.example. "
            "Empty: the host that the request named.", "Server"),
    Setting("BEHIND_PROXY", boolean, False,
            "A proxy such as nginx stands in front and limits connections. Without it production listens only on this "
            "machine (a loopback HOST or a unix socket).", "Server"),
    Setting("METRICS_TOKEN", text, "",
            "The token that a scraper of /metrics sends as `Authorization: Bearer ...`. Empty: /metrics answers "
            "callers on this machine only.", "Server", secret=True),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}


def env_example() -> str:
    """The text of `.env.example`: every setting with its meaning and its default."""
    lines = ["# Every setting of Opsboard with its default. Copy to .env and change what you need.",
             "# A secret may be in a file instead: SECRET_KEY_FILE=/run/secrets/secret_key.",
             "# Made by `opsboard config --example`; a test keeps it equal to settings.py."]  # fmt: skip
    group = ""
    for setting in SETTINGS:
        if setting.group != group:
            group = setting.group
            lines += ["", f"# --- {group} ---"]
        lines.append(f"# {setting.help}")
        if setting.aliases:
            lines.append(f"# Also read: {', '.join(setting.aliases)}.")
        if setting.secret:
            lines.append(f"# Or {setting.file_name}.")
        lines.append(f"{setting.name}={example_value(setting)}")
    return "\n".join(lines) + "\n"


def example_value(setting: Setting) -> str:
    default = setting.default
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"{default:g}"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
