"""The settings of one process: read from the environment and `.env`, checked all at once."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from opsboard.errors import ConfigError
from opsboard.settings import PLACEHOLDER_SECRET, SETTINGS, SHORTEST_SECRET, Setting, default_data_folder

# DB_POOL_SIZE or DB_MAX_OVERFLOW where only the other is set.
SIZE_OR_OVERFLOW = "10"


class SettingTypes:
    """The type of each setting of SETTINGS, so that mypy knows a misspelt one; a test compares the two."""

    # Service
    opsboard_env: str
    secret_key: str
    secret_keys: str
    opsboard_debug: bool
    opsboard_data: str
    log_level: str
    log_format: str
    traces: bool
    # Sign-in
    operator_tenants: tuple[int, ...]
    token_ttl: int
    session_longest: int
    login_attempts: int
    cookie_secure: bool
    # Database
    database_url: str
    database_owner_url: str
    database_backup_url: str
    db_pool_min_connections: int
    db_pool_max_connections: int
    db_pool_timeout: float
    db_away_patience: float
    db_pool_max_waiting: int
    db_pool_max_idle: float
    db_pool_max_lifetime: float
    db_prepared_statements: int
    db_leak_seconds: float
    db_connect_timeout: int
    request_deadline: float
    export_deadline: float
    export_most: int
    slow_query_ms: int
    health_patience_ms: int
    # Cache
    cache_enabled: bool
    cache_max_entries: int
    cache_max_bytes: int
    cache_ttl_stats: float
    cache_ttl_recent_jobs: float
    cache_ttl_jobs_by_status: float
    cache_ttl_jobs_by_month: float
    cache_ttl_settings: float
    cache_ttl_tenant: float
    cache_max_settings: int
    cache_ttl_document_analytics: float
    cache_ttl_journey_nodes: float
    cache_ttl_job_status: float
    cache_ttl_lists: float
    cache_ttl_totals: float
    cache_stale_if_error: float
    cache_stale_while_revalidate: float
    cache_url: str
    pulse_ms: int
    # Journeys
    journey_messages_per_hour: int
    journey_loop_window: float
    # Documents
    document_store: str
    document_max_bytes: int
    import_max_bytes: int
    # Webhooks and mail
    webhook_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    webhook_timeout: float
    delivery_days: int
    digest_hour: int
    smtp_host: str
    smtp_port: int
    smtp_tls: str
    smtp_user: str
    smtp_password: str
    mail_from: str
    # Server
    host: str
    port: int
    bind: str
    web_concurrency: int
    web_threads: int
    web_max_requests: int
    web_graceful_timeout: int
    trusted_proxies: str
    public_url: str
    behind_proxy: bool
    metrics_token: str


@dataclass(frozen=True)
class Config(SettingTypes):
    """The settings of one process; each is an attribute by its name in lower case."""

    values: Mapping[str, Any] = field(repr=False)
    # Setting name -> where its value came from: the environment name that won, ".env" or "default".
    origins: Mapping[str, str] = field(default_factory=dict)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            try:
                return self.values[name.upper()]
            except KeyError:
                raise AttributeError(name) from None

    @property
    def production(self) -> bool:
        return bool(self.values["OPSBOARD_ENV"] == "production")

    @property
    def accepted_secrets(self) -> tuple[str, ...]:
        """Keys whose signatures are valid beside those of the key that signs."""
        return split_secrets(self.values["SECRET_KEYS"])

    @property
    def data_folder(self) -> Path:
        return Path(self.values["OPSBOARD_DATA"] or default_data_folder()).expanduser()

    @property
    def owner_url(self) -> str:
        return str(self.values["DATABASE_OWNER_URL"] or self.values["DATABASE_URL"])

    def with_values(self, **changes: Any) -> Config:
        """A copy with some settings replaced, by lower-case name. Raises AttributeError for a name that is none."""
        if unknown := changes.keys() - SettingTypes.__annotations__.keys():
            raise AttributeError(f"there is no setting {', '.join(sorted(unknown))}")
        return Config(
            {**self.values, **{name.upper(): value for name, value in changes.items()}}, self.origins
        )

    def masked(self) -> dict[str, Any]:
        """All values, fit to be shown: a secret is told only to be set or not."""
        return {
            setting.name: ("(set)" if self.values[setting.name] else "(empty)")
            if setting.secret
            else self.values[setting.name]
            for setting in SETTINGS
        }


def load_config(environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env") -> Config:
    """Read all settings; the environment is stronger than `env_file`.

    Raises ConfigError with one line per fault, all of them at once.
    """
    environ = os.environ if environ is None else environ
    from_file = {k: v for k, v in dotenv_values(env_file).items() if v is not None} if env_file else {}
    faults: list[str] = []
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        try:
            raw, origin = find_secret(setting, environ, from_file) or find(setting, environ, from_file)
        except ValueError as fault:
            faults.append(str(fault))
            raw, origin = None, "default"
        origins[setting.name] = origin
        values[setting.name] = setting.default
        if raw is None or raw == "":
            continue
        try:
            values[setting.name] = setting.read(raw)
        except ValueError as fault:
            faults.append(f"{origin.split(' ')[0]} {fault}" + ("" if setting.secret else f", not {raw!r}"))
    faults += contradictions(values)
    if faults:
        raise ConfigError(faults)
    return Config(values, origins)


def listens_here(values: Mapping[str, Any]) -> bool:
    """Return True if only this machine can connect."""
    if values["BIND"].startswith(("unix:", "fd://")):
        return True
    host = values["BIND"].removeprefix("tcp://").rpartition(":")[0] if values["BIND"] else values["HOST"]
    host = host.strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(host == "localhost")


def find(
    setting: Setting, environ: Mapping[str, str], from_file: Mapping[str, str]
) -> tuple[str | None, str]:
    """The raw text of a setting and the name it was found under; its own name is stronger than an alias."""
    for source, mark in ((environ, ""), (from_file, " (.env)")):
        for name in (setting.name, *setting.aliases):
            parts = name.split("+")
            if not any(source.get(part) for part in parts) and source.get(name) is None:
                continue
            if len(parts) == 1:
                return source[name], name + mark
            # A size and an overflow on top of it: the most is their sum.
            numbers = [source.get(part) or from_file.get(part) or SIZE_OR_OVERFLOW for part in parts]
            wrong = [number for number in numbers if not number.isdecimal()]
            return wrong[0] if wrong else str(sum(map(int, numbers))), name + mark
    return None, "default"


def find_secret(
    setting: Setting, environ: Mapping[str, str], from_file: Mapping[str, str]
) -> tuple[str, str] | None:
    """The content of the file that a secret is in, and what named it; None when no file is named.

    Raises ValueError when the file cannot be read, or when the secret is given in both ways.
    """
    if not setting.secret:
        return None
    for source, mark in ((environ, ""), (from_file, " (.env)")):
        path = source.get(setting.file_name)
        if path and source.get(setting.name):
            raise ValueError(f"{setting.name} and {setting.file_name} are both set{mark}; remove one of them")
        if path:
            return read_secret(setting.file_name, path), setting.file_name + mark
        if setting.name in source:
            return None
    return None


def read_secret(name: str, path: str) -> str:
    """The content of a file without the line end. Raises ValueError."""
    try:
        content = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {path} cannot be read ({error})") from None
    if not content:
        raise ValueError(f"{name}: {path} is empty")
    return content


def split_secrets(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def contradictions(values: Mapping[str, Any]) -> list[str]:
    """Faults that only show when settings are looked at together."""
    faults = []
    if values["DB_POOL_MIN_CONNECTIONS"] > values["DB_POOL_MAX_CONNECTIONS"]:
        faults.append("DB_POOL_MIN_CONNECTIONS must not be above DB_POOL_MAX_CONNECTIONS")
    if values["CACHE_URL"] and importlib.util.find_spec("redis") is None:
        faults.append(
            "CACHE_URL needs the redis library, which is not installed: pip install 'opsboard[redis]'"
        )
    for needed in ("MAIL_FROM", "PUBLIC_URL"):
        if values["SMTP_HOST"] and not values[needed]:
            faults.append(f"SMTP_HOST is set, so {needed} must be set, too")
    secret = values["SECRET_KEY"]
    others = split_secrets(values["SECRET_KEYS"])
    if any(one == PLACEHOLDER_SECRET or "change-me" in one for one in others):
        faults.append("SECRET_KEYS has a publicly known value; anybody could sign with it")
    if secret == PLACEHOLDER_SECRET or "change-me" in secret:
        faults.append("SECRET_KEY has a publicly known value; leave it empty in development, or set your own")
    if values["OPSBOARD_ENV"] != "production":
        return faults
    if not secret:
        faults.append(
            "SECRET_KEY must be set in production: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    elif len(secret.encode()) < SHORTEST_SECRET:
        faults.append(
            f"SECRET_KEY has {len(secret.encode())} bytes; production needs {SHORTEST_SECRET} or more"
        )
    if short := [len(one.encode()) for one in others if len(one.encode()) < SHORTEST_SECRET]:
        faults.append(
            f"SECRET_KEYS has a key of {short[0]} bytes; production needs {SHORTEST_SECRET} or more"
        )
    if values["OPSBOARD_DEBUG"]:
        faults.append("OPSBOARD_DEBUG must be off in production")
    if not (values["BEHIND_PROXY"] or listens_here(values)):
        faults.append(
            "HOST or BIND is an address that other machines reach; production needs a proxy in front of it: listen on "
            "127.0.0.1 or a unix socket, or set BEHIND_PROXY=on when nothing but the proxy can reach the address"
        )
    if not values["DATABASE_URL"]:
        faults.append("DATABASE_URL must be set in production; the embedded Postgres is for trying out")
    return faults
