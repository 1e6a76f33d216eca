"""The settings: where each came from, and which do not go together."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from opsboard.commands.findings import Findings
from opsboard.config import Config
from opsboard.settings import SETTINGS, SHORTEST_SECRET, Setting

# Names that nobody but us would begin like this.
OURS = ("OPSBOARD_", "DB_POOL_", "CACHE_TTL_", "CACHE_MAX_")


def check_settings(
    config: Config, environ: Mapping[str, str], from_file: Mapping[str, str], findings: Findings
) -> None:
    """Check which settings are set and where, which spelling of a pool setting wins, and unknown names."""
    given = [
        f"{name} ({source_of(name, origin)})"
        for name, origin in config.origins.items()
        if origin != "default"
    ]
    mode = "production" if config.production else "development"
    findings.ok("settings", f"{mode}; {len(given)} of {len(SETTINGS)} set: {', '.join(given) or 'none'}")
    for setting in SETTINGS:
        if setting.aliases:
            check_spelling(config, setting, environ, from_file, findings)
    known = {
        part for setting in SETTINGS for name in (setting.name, *setting.aliases) for part in name.split("+")
    }
    stray = [name for name in from_file if name not in known]
    stray += [name for name in environ if name.startswith(OURS) and name not in known]
    for name in stray:
        near = difflib.get_close_matches(name, known, 1)
        findings.warn("settings", f"{name} is no setting", f"do you mean {near[0]}?" if near else "remove it")


def source_of(name: str, origin: str) -> str:
    """Environment or .env, and the spelling if it is another one."""
    spelling = origin.removesuffix(" (.env)")
    source = "environment" if spelling == origin else ".env"
    return source if spelling == name else f"{spelling}, {source}"


def check_spelling(
    config: Config,
    setting: Setting,
    environ: Mapping[str, str],
    from_file: Mapping[str, str],
    findings: Findings,
) -> None:
    """Which spelling of one setting won, and which others are there without effect."""
    present = [
        name + mark
        for source, mark in ((environ, ""), (from_file, " (.env)"))
        for name in (setting.name, *setting.aliases)
        if any(part in source for part in name.split("+"))
    ]
    origin = config.origins[setting.name]
    told = "the default" if origin == "default" else f"from {origin}"
    message = f"{setting.name}={config.values[setting.name]}, {told}"
    ignored = [name for name in present if name != origin]
    if ignored:
        findings.warn("pool", f"{message}; not from {', '.join(ignored)}", "keep one spelling")
    else:
        findings.ok("pool", message)


def check_secret(config: Config, findings: Findings) -> None:
    """Report whether SECRET_KEY is long enough to sign tokens. The secret itself is never shown."""
    size = len(config.secret_key.encode())
    advice = "python3 -c 'import secrets; print(secrets.token_hex(32))'"
    if not size:
        findings.ok("secret", f"SECRET_KEY is not set; one is kept in {config.data_folder}")
    elif size < SHORTEST_SECRET:
        findings.warn("secret", f"SECRET_KEY has {size} bytes; production needs {SHORTEST_SECRET}", advice)
    else:
        findings.ok("secret", f"SECRET_KEY has {size} bytes")


def check_timeouts(config: Config, findings: Findings) -> None:
    """Waits that would end later than what waits for them."""
    pairs = [
        ("DB_POOL_TIMEOUT", "REQUEST_DEADLINE", "a request that waits that long gets 504 instead of 503"),
        ("DB_CONNECT_TIMEOUT", "REQUEST_DEADLINE", "one attempt to connect would use up the whole request"),
        ("REQUEST_DEADLINE", "WEB_GRACEFUL_TIMEOUT", "a stop or reload cuts requests that may go on"),
    ]
    late = [pair for pair in pairs if config.values[pair[0]] > config.values[pair[1]]]
    for inner, outer, why in late:
        values = f"{inner}={config.values[inner]:g} is above {outer}={config.values[outer]:g}"
        findings.warn("timeouts", f"{values}: {why}", f"lower {inner} or raise {outer}")
    if not late:
        chain = ("DB_POOL_TIMEOUT", "REQUEST_DEADLINE", "WEB_GRACEFUL_TIMEOUT")
        findings.ok("timeouts", " <= ".join(f"{name} {config.values[name]:g} s" for name in chain))
