"""opsboard config: every setting, its value and where it came from."""

from __future__ import annotations

import click

from opsboard.config import load_config
from opsboard.settings import SETTINGS, env_example


@click.command()
@click.option("--example", is_flag=True, help="Print a .env with every setting, its meaning and default.")
def config(example: bool) -> None:
    """Show the settings in force; secrets are masked.

    \b
    Examples:
      opsboard config
      opsboard config --example > .env
    """
    if example:
        click.echo(env_example(), nl=False)
        return
    loaded = load_config()
    shown = loaded.masked()
    for setting in SETTINGS:
        value = shown[setting.name]
        text = ",".join(map(str, value)) if isinstance(value, tuple) else value
        click.echo(f"{setting.name}={text}  ({loaded.origins[setting.name]})")
