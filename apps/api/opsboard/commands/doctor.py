"""opsboard doctor: is everything as it should be, and what to do where it is not."""

from __future__ import annotations

import json
import os
import sys

import click
from dotenv import dotenv_values

from opsboard.commands.check_database import check_database
from opsboard.commands.check_machine import check_data_folder, check_memory, check_versions
from opsboard.commands.check_settings import check_secret, check_settings, check_timeouts
from opsboard.commands.check_shared_cache import check_shared_cache
from opsboard.commands.findings import Findings
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server
from opsboard.errors import ConfigError, OpsboardError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON document.")
def doctor(as_json: bool) -> None:
    """Check settings, versions, database, schema, connections, clock, caches, folder; change nothing.

    Exit code 0: all is well, 1: something deserves a look, 2: something must be mended.

    \b
    Examples:
      opsboard doctor
      opsboard doctor --json
    """
    findings = examine()
    if as_json:
        click.echo(json.dumps(findings.as_document(), indent=2))
    else:
        click.echo("\n".join(findings.as_lines()))
    sys.exit(findings.exit_code)


def examine() -> Findings:
    """Everything that can be looked at, as far as it can be."""
    findings = Findings()
    check_versions(findings)
    try:
        config = load_config()
    except ConfigError as error:
        for fault in error.faults:
            findings.fail("settings", fault, "see opsboard config --example")
        return findings
    from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    check_settings(config, os.environ, from_file, findings)
    check_secret(config, findings)
    check_timeouts(config, findings)
    check_data_folder(config, findings)
    check_memory(config, findings)
    check_shared_cache(config, findings)
    if not config.owner_url and not (config.data_folder / "postgres" / "PG_VERSION").exists():
        findings.warn(
            "database", "there is none yet", "set DATABASE_URL, or run opsboard demo for an embedded one"
        )
        return findings
    try:
        with embedded_server(config):
            check_database(config, findings)
    except OpsboardError as error:
        findings.fail("database", error.detail, "check DATABASE_URL and OPSBOARD_DATA")
    return findings
