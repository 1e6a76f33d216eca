"""opsboard tenant add, opsboard user add."""

from __future__ import annotations

import sys

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.operators import operator_faults
from opsboard.errors import CommandError
from opsboard.tenants.adding import add_tenant, add_user, set_password

ROLES = ("admin", "manager", "operator")


@click.group("tenant")
def tenant_group() -> None:
    """Businesses: each sees its own jobs, customers and machines, and nothing of another one's."""


@tenant_group.command("add")
@click.argument("slug")
@click.option("--name", required=True, help="What people call it.")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    metavar="TZ",
    help="Its days and months are cut here: Europe/Berlin.",
)
def add_tenant_command(slug: str, name: str, time_zone: str) -> None:
    """Add a business. SLUG is its short name in commands: lower-case letters, digits and hyphens.

    \b
    Example:
      opsboard tenant add north --name "North Works" --time-zone Europe/Berlin
    """
    config = load_config()
    with embedded_server(config):
        tenant_id = add_tenant(service_url(config), slug, name, time_zone)
        for warning in operator_faults(config):
            click.echo(warning, err=True)
    click.echo(f"{slug} added (id {tenant_id}); next: opsboard user add EMAIL --tenant {slug} --role admin")


@click.group("user")
def user_group() -> None:
    """People who sign in."""


@user_group.command("add")
@click.argument("email")
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="The business they work for.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option("--name", "full_name", default="", help="Their full name.")
def add_user_command(email: str, slug: str, role: str, full_name: str) -> None:
    """Add somebody who signs in with EMAIL and a password.

    The password is asked for, or read from standard input: one line, never an argument others could see.

    \b
    Examples:
      opsboard user add kim@north.example --tenant north --role manager --name "Kim Sand"
      pass show opsboard/kim | opsboard user add kim@north.example --tenant north --role manager
    """
    config = load_config()
    password = read_password()
    with embedded_server(config):
        user_id = add_user(
            service_url(config), slug, email=email, role=role, full_name=full_name, password=password
        )
    click.echo(f"{email} added to {slug} as {role} (id {user_id})")


@user_group.command("password")
@click.argument("email")
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="The business they work for.")
def set_password_command(email: str, slug: str) -> None:
    """Give EMAIL another password, or an imported user their first; whoever was signed in as them is signed out.

    The password is asked for, or read from standard input.

    \b
    Examples:
      opsboard user password kim@north.example --tenant north
      pass show opsboard/kim | opsboard user password kim@north.example --tenant north
    """
    config = load_config()
    password = read_password()
    with embedded_server(config):
        set_password(service_url(config), slug, email=email, password=password)
    click.echo(f"{email} of {slug} signs in with the new password")


def read_password() -> str:
    """One line of standard input; on a terminal asked for twice and not shown."""
    if sys.stdin.isatty():
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt="Once more"))
    else:
        try:
            password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise CommandError("The password on standard input is not UTF-8.") from error
    return password
