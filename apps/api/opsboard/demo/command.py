"""opsboard demo: a database, made-up businesses in it, and the service in front, until Ctrl-C."""

from __future__ import annotations

import shutil
import socket
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click
from click.core import ParameterSource

from opsboard.config import Config, load_config
from opsboard.db.addresses import embedded_server, owner_url, recreate_database, service_url
from opsboard.db.application_role import application_url, role_exists
from opsboard.db.embedded import Cluster
from opsboard.db.migrations import Migrator, default_folder
from opsboard.demo.bars import Bars
from opsboard.demo.client import Client, welcome
from opsboard.demo.generate import generate
from opsboard.demo.interruptions import Interruptions
from opsboard.demo.server import claim_port, running_server
from opsboard.errors import CommandError
from opsboard.secret import kept_secret

DEFAULT_JOBS = 20_000
MOST_JOBS = 20_000_000


@click.command("demo")
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST_JOBS),
    default=DEFAULT_JOBS,
    show_default=True,
    help="How many jobs the two businesses have; a million takes about a minute.",
)
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of PORT; 0: any free one.")
@click.option("--fresh", is_flag=True, help="Throw the embedded database away first.")
@click.option("--no-server", is_flag=True, help="Make the data and stop.")
@click.pass_context
def demo_command(ctx: click.Context, jobs: int, port: int | None, fresh: bool, no_server: bool) -> None:
    """Look at Opsboard with made-up data: two businesses with all that belongs to them.

    Uses an embedded Postgres that keeps its data in OPSBOARD_DATA, or the server of DATABASE_URL. Data is made
    when the database is empty. Ctrl-C stops everything.

    \b
    Examples:
      opsboard demo
      opsboard demo --fresh --jobs 1000000
      PORT=9000 OPSBOARD_DATA=/tmp/second opsboard demo
    """
    config = load_config()
    if config.production:
        raise CommandError("The demo's passwords are public; it does not run with OPSBOARD_ENV=production.")
    listening = None if no_server else claim_port(config.host, config.port if port is None else port)
    if listening:
        config = config.with_values(port=listening.getsockname()[1])
    jobs_wanted = ctx.get_parameter_source("jobs") is ParameterSource.COMMANDLINE
    with Interruptions() as interruptions, ExitStack() as stack:
        try:
            if not config.owner_url and not config.data_folder.exists():
                say(f"making a Postgres database in {config.data_folder}")
            with interruptions.held():
                cluster = stack.enter_context(embedded_server(config))
            if fresh:
                start_over(cluster)
            service = prepare(config, cluster)
            if not fill(config, jobs) and jobs_wanted:
                say("--jobs is ignored, there is data already; " + how_to_start_over(cluster))
            if listening:
                serve(config, service, listening, cluster, interruptions)
        finally:
            interruptions.ignore()


def start_over(cluster: Cluster | None) -> None:
    if cluster is None:
        raise CommandError("--fresh throws away the embedded database only, never one of DATABASE_URL.")
    recreate_database(cluster)


def prepare(config: Config, cluster: Cluster | None) -> str:
    """Bring the schema up to date; the address for the service, by a role that row security binds."""
    service, owner = service_url(config), owner_url(config)
    had_role = cluster is not None or role_exists(owner)
    Migrator(owner, default_folder(), report=say).up()
    if cluster is not None:
        return service
    try:
        password = kept_secret(config.data_folder / "opsboard_app.password")
    except OSError as error:
        raise CommandError(
            f"{config.data_folder}: {error.strerror}; set OPSBOARD_DATA to a folder of yours."
        ) from error
    return application_url(service, owner, password, made_now=not had_role)


def fill(config: Config, jobs: int) -> bool:
    """Make the data unless there is some."""
    with Bars() as bars:
        return generate(owner_url(config), jobs, datetime.now(UTC), bars)


def serve(
    config: Config,
    service: str,
    listening: socket.socket,
    cluster: Cluster | None,
    interruptions: Interruptions,
) -> None:
    """Run the service until somebody stops it, which is a good end."""
    client = Client(config.host, config.port)
    with running_server(config, service, listening, client, interruptions) as server:
        where = (
            f"Its data stays in {config.data_folder}"
            if cluster
            else "Its data stays in the database of DATABASE_URL"
        )
        try:
            click.echo(f"{welcome(client)}\nCtrl-C stops it. {where}; {how_to_start_over(cluster)}\n")
            code = server.wait()
        except KeyboardInterrupt:
            return
        raise CommandError(f"The server ended by itself with exit code {code}; see above.")


def how_to_start_over(cluster: Cluster | None) -> str:
    return (
        f"to start over: {own_name()} demo --fresh"
        if cluster
        else "to start over, give it an empty database."
    )


def own_name() -> str:
    """Return the name of this command for a shell: `opsboard` if the shell finds it, else its path."""
    program = Path(sys.argv[0])
    if program.name != "opsboard":
        return f"{sys.executable} -m opsboard.cli"
    found = shutil.which("opsboard")
    return "opsboard" if found and Path(found).resolve() == program.resolve() else str(program)


def say(line: str) -> None:
    click.echo(line, err=True)
