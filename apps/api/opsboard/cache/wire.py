"""One connection to Redis or Valkey: opening it, one command and its answer, and errors as messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsboard.errors import ConfigError

# A request waits this long for a packet, once for each connection that is open when the server freezes.
PATIENCE = 0.05  # seconds
# A thread opens connections; no request waits for it.
CONNECT_TIMEOUT = 1.0  # seconds


class Declined(Exception):
    """The server answered with an error; its first word is the code: OOM, NOPERM, READONLY."""


def connector(url: str) -> Callable[[], Any]:
    """Return a function that makes a connection, not opened yet. Raises ConfigError if the address is invalid."""
    # Imported here because the library is an extra.
    from redis.backoff import NoBackoff
    from redis.connection import Connection, parse_url
    from redis.retry import Retry

    # Overrides options in the address: a request must not wait, and values are bytes.
    forced = {
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "protocol": 2,
        "decode_responses": False,
    }
    try:
        found: dict[str, Any] = {**parse_url(url)}
        make = found.pop("connection_class", Connection)
        for of_pools in ("max_connections", "timeout"):
            found.pop(of_pools, None)
        settings = {**found, **forced}
        if not url.startswith("unix:"):
            settings["socket_keepalive"] = True
        make(**settings)
    except (TypeError, ValueError, AttributeError):
        raise ConfigError(["CACHE_URL has an option that the redis library does not know"]) from None
    return lambda: make(**settings)


def ask(connection: Any, *words: Any) -> Any:
    """Send a command and read its answer. Raises Declined for an error that leaves the connection usable."""
    from redis.exceptions import ResponseError

    try:
        connection.send_command(*words, check_health=False)
        return connection.read_response()
    except ResponseError as error:
        raise Declined(first_word(error)) from None


def first_word(error: Exception) -> str:
    """Return OOM, NOPERM, ...; the name of the library's class if the library removed the word."""
    word = str(error).partition(" ")[0]
    return word if word.isupper() and word.isalpha() else type(error).__name__.removesuffix("Error")


def reason_of(error: Exception) -> str:
    """Return the reason as a message without address or password."""
    from redis import exceptions as theirs

    for kind, words in (
        (theirs.AuthenticationError, "name or password refused"),
        (theirs.BusyLoadingError, "still loading its data"),
        ((theirs.TimeoutError, TimeoutError), "no answer in time"),
        ((theirs.ConnectionError, OSError), "cannot be reached"),
        (Declined, f"declined: {error}"),
    ):
        if isinstance(error, kind):
            return words
    return "not understood"
