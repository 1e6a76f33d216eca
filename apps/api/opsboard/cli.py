"""The command line: one word for each thing an operator does."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from opsboard.errors import OpsboardError

# Command -> where it lives; a command is loaded when it is asked for, so that --help stays quick.
COMMANDS = {
    "demo": "opsboard.demo.command:demo_command",
    "serve": "opsboard.commands.serve:serve",
    "migrate": "opsboard.commands.migrate:migrate",
    "tenant": "opsboard.commands.tenant_close:tenant_group",
    "user": "opsboard.tenants.access_command:user_group",
    "token": "opsboard.tenants.access_command:token_group",
    "import": "opsboard.imports.command:import_command",
    "backup": "opsboard.commands.backup:backup",
    "restore": "opsboard.commands.backup:restore_command",
    "maintain": "opsboard.commands.maintain:maintain",
    "maintenance": "opsboard.commands.maintenance:maintenance",
    "doctor": "opsboard.commands.doctor:doctor",
    "config": "opsboard.commands.config:config",
    "explain": "opsboard.commands.explain:explain",
    "indexes": "opsboard.commands.indexes:indexes",
    "rollups": "opsboard.commands.rollups:rollups",
    "collisions": "opsboard.commands.collisions:collisions",
    "documents": "opsboard.commands.documents:documents",
    "journeys": "opsboard.commands.journeys:journeys",
    "outbox": "opsboard.commands.outbox:outbox",
    "back-test": "opsboard.commands.back_test:back_test",
    "bench": "opsboard_bench.command:bench",
}


class Commands(click.Group):
    """Loads each command from its own module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def print_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        # Asks git in a checkout: not for other commands to wait for.
        from opsboard.observability.build import version_and_commit

        click.echo(f"opsboard, version {version_and_commit()}")
        context.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: opsboard demo. Settings come from the environment and .env; see opsboard config.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version,
              help="Show the version and its commit, and exit.")  # fmt: skip
def opsboard() -> None:
    """Opsboard: the operations dashboard of a business that sells, plans and makes things."""


def main() -> None:
    """Run a command. What the user can mend ends with exit code 2 and says how, without a traceback."""
    try:
        # Without click's own handling of errors, its Exit comes back as the value of the call.
        result = opsboard(standalone_mode=False)
    except OpsboardError as error:
        for line in error.detail.splitlines():
            click.echo(f"opsboard: {line}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        # An import that had begun says so itself.
        click.echo("stopped; nothing was stored" if sys.argv[1:2] == ["import"] else "stopped", err=True)
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
