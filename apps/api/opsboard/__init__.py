"""Opsboard: an operations dashboard service over Flask and raw psycopg2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiflask import APIFlask

    from opsboard.config import Config

__version__ = "0.3.0.dev0"


def create_app(config: Config | None = None) -> APIFlask:
    """The WSGI application; settings from the environment and `.env` unless given.

    Raises ConfigError when settings are wrong.
    """
    # Imported here, so that `import opsboard.db` and the command line do not load Flask.
    from opsboard.application import make_app

    return make_app(config)
