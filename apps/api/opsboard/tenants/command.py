"""opsboard tenant, opsboard user: businesses, and the people who sign in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.operators import operator_faults
from opsboard.errors import CommandError
from opsboard.tenants.adding import add_tenant, add_user, set_password
from opsboard.tenants.changing import change_tenant, change_user, list_tenants, list_users, unlock_user

of_tenant = click.option(
    "--tenant", "slug", required=True, metavar="SLUG", help="The business they work for."
)
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


@tenant_group.command("list")
def list_tenants_command() -> None:
    """List the businesses: id, slug, name, time zone, and how many people can sign in."""
    config = load_config()
    with embedded_server(config):
        found = list_tenants(service_url(config))
    show_table(("ID", "SLUG", "NAME", "TIME ZONE", "PEOPLE"), found)


@tenant_group.command("change")
@click.argument("slug")
@click.option("--name", help="What people call it from now on.")
@click.option("--time-zone", metavar="TZ", help="Its days and months are cut here from now on.")
def change_tenant_command(slug: str, name: str | None, time_zone: str | None) -> None:
    """Give a business another name or time zone. Its slug stays: addresses and imports name it.

    \b
    Example:
      opsboard tenant change north --name "North Works Ltd"
    """
    if name is None and time_zone is None:
        raise CommandError("Nothing to change: give --name or --time-zone.")
    config = load_config()
    with embedded_server(config):
        change_tenant(service_url(config), slug, name, time_zone)
    click.echo(f"{slug} changed")


@tenant_group.command("rename")
@click.argument("slug")
@click.argument("name")
def rename_tenant_command(slug: str, name: str) -> None:
    """Give a business another NAME, as `opsboard tenant change` does. Its slug stays.

    \b
    Example:
      opsboard tenant rename north "North Works Ltd"
    """
    config = load_config()
    with embedded_server(config):
        change_tenant(service_url(config), slug, name, None)
    click.echo(f"{slug} renamed")


@click.group("user")
def user_group() -> None:
    """People who sign in."""


@user_group.command("add")
@click.argument("email")
@of_tenant
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
@of_tenant
def set_password_command(email: str, slug: str) -> None:
    """Give EMAIL another password, or an imported user their first. All their sessions are signed out.

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


@user_group.command("list")
@of_tenant
def list_users_command(slug: str) -> None:
    """List everybody of a business: id, address, role, state and name."""
    config = load_config()
    with embedded_server(config):
        found = list_users(service_url(config), slug)
    show_table(("ID", "EMAIL", "ROLE", "STATE", "NAME"), found)


def change(slug: str, email: str, told: str, **changes: Any) -> None:
    config = load_config()
    with embedded_server(config):
        change_user(service_url(config), slug, email, **changes)
    click.echo(f"{email} of {slug} {told}")


@user_group.command("rename")
@click.argument("email")
@of_tenant
@click.option("--name", "full_name", required=True, help="Their full name.")
def rename_user_command(email: str, slug: str, full_name: str) -> None:
    """Give EMAIL another full name."""
    change(slug, email, "renamed", full_name=full_name)


@user_group.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@of_tenant
def change_role_command(email: str, role: str, slug: str) -> None:
    """Let EMAIL do what a ROLE may do; their sign-ins end on every worker.

    \b
    Example:
      opsboard user role kim@north.example admin --tenant north
    """
    change(slug, email, f"is {role} now", role=role)


@user_group.command("deactivate")
@click.argument("email")
@of_tenant
def deactivate_user_command(email: str, slug: str) -> None:
    """Let EMAIL sign in no more, and end their sign-ins on every worker. What they did stays, and work stays theirs."""
    change(slug, email, "deactivated", is_active=False)


@user_group.command("activate")
@click.argument("email")
@of_tenant
def activate_user_command(email: str, slug: str) -> None:
    """Let EMAIL sign in again, with the password they had."""
    change(slug, email, "activated", is_active=True)


@user_group.command("unlock")
@click.argument("email")
@of_tenant
def unlock_user_command(email: str, slug: str) -> None:
    """Let EMAIL try again at once after too many wrong passwords. `opsboard user password` does so too."""
    config = load_config()
    with embedded_server(config):
        unlock_user(service_url(config), slug, email)
    click.echo(f"{email} of {slug} may try again")


def show_table(heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Print columns that are as wide as they must be."""
    lines = [heads, *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


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
