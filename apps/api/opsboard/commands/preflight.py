"""Checks before workers start: the settings and, in production, the database role.

`python -m opsboard.commands.preflight` prints for gunicorn.conf.py, as one line of JSON, what gunicorn needs
and the settings that were checked, or ends with exit code 2 and a line per fault.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from opsboard.config import Config, load_config
from opsboard.db.operators import operator_faults
from opsboard.db.row_security import require_address, role_dangers
from opsboard.db.schema_version import in_words, missing_migrations
from opsboard.db.session import connected
from opsboard.errors import CommandError, ConfigError, DatabaseUnavailable, OpsboardError
from opsboard.settings import SETTINGS

UNSAFE = "DATABASE_URL must name a role that row security binds"


def check(config: Config) -> list[str]:
    """Raise ConfigError if the service must not start; else warnings."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if config.values[name]:
            require_address(name, config.values[name])
    if not config.production:
        return []
    try:
        dangers = role_dangers(config.database_url, config.db_connect_timeout)
    except DatabaseUnavailable as error:
        return [
            f"the database cannot be reached ({error.detail}); nothing is served until its role is checked"
        ]
    if dangers:
        raise ConfigError([f"{UNSAFE}; {danger}" for danger in dangers])
    return operator_faults(config)


def check_schema(config: Config) -> list[str]:
    """Return the faults of the schema as messages; none if no database is named or it cannot be reached."""
    if not config.database_url:
        return []
    try:
        with connected(config.database_url, "check") as connection, connection.cursor() as cursor:
            missing = missing_migrations(cursor)
    except CommandError:
        return []
    return [f"{in_words(missing)}; run `opsboard migrate` first"] if missing else []


def for_gunicorn(config: Config) -> dict[str, Any]:
    """gunicorn's settings from ours, and ours as environment variables for the workers."""
    return {
        "bind": config.bind or f"{config.host}:{config.port}",
        "workers": config.web_concurrency,
        "threads": config.web_threads,
        "max_requests": config.web_max_requests,
        "max_requests_jitter": config.web_max_requests // 10,
        "graceful_timeout": config.web_graceful_timeout,
        "loglevel": config.log_level,
        # Secrets by their values: of files, the content that was checked.
        "environment": {setting.name: as_text(config.values[setting.name]) for setting in SETTINGS}
        | {setting.file_name: "" for setting in SETTINGS if setting.secret},
    }


def as_text(value: Any) -> str:
    """The text that a setting of this value is read from."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(as_text, value)) if isinstance(value, tuple) else str(value)


def say(line: str, level: str, form: str) -> None:
    """Write a line to standard error, in the form of the log."""
    line = f"opsboard: {line}"
    print(json.dumps({"event": line, "level": level}) if form == "json" else line, file=sys.stderr)


def main() -> None:
    # Until all settings are known to be right, as far as this one can be told.
    form = os.environ.get("LOG_FORMAT", "text")
    try:
        config = load_config()
        form = config.log_format
        for warning in (*check(config), *check_schema(config)):
            say(warning, "warning", form)
    except OpsboardError as error:
        for line in error.detail.splitlines():
            say(line, "error", form)
        sys.exit(2)
    print(json.dumps(for_gunicorn(config)))


if __name__ == "__main__":
    main()
