"""opsboard token; opsboard user invite, link, hand-over."""

from __future__ import annotations

import click

from opsboard.config import Config, load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.errors import CommandError
from opsboard.secret import signing_secret
from opsboard.tenants.access import (
    add_token,
    hand_over,
    invite_user,
    list_tokens,
    new_password_link,
    revoke_token,
)
from opsboard.tenants.command import ROLES, of_tenant, show_table, user_group

SCOPES = ("read", "write", "health", "metrics")


@click.group("token")
def token_group() -> None:
    """API tokens: for programs, with some of what their user may do."""


@token_group.command("add")
@click.argument("name")
@of_tenant
@click.option(
    "--user", "email", required=True, metavar="EMAIL", help="The user or service account it acts for."
)
@click.option("--scope", "scopes", required=True, multiple=True, type=click.Choice(SCOPES),
              help="What it may be used for; several times for several.")  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, 365), default=90, show_default=True, help="Days until it ends."
)
def add_token_command(name: str, slug: str, email: str, scopes: tuple[str, ...], days: int) -> None:
    """Make an API token and print it: this once, it is stored nowhere.

    \b
    Example:
      opsboard token add "Weekly report" --tenant north --user report@north.example --scope read
    """
    config = load_config()
    with embedded_server(config):
        token = add_token(
            service_url(config),
            signing_secret(config),
            slug,
            email=email,
            name=name,
            scopes=scopes,
            days=days,
        )
    click.echo(token)


@token_group.command("list")
@of_tenant
def list_tokens_command(slug: str) -> None:
    """List the API tokens of a business that have not ended: id, name, user, scopes, end, last use, public part."""
    config = load_config()
    with embedded_server(config):
        found = list_tokens(service_url(config), slug)
    show_table(("ID", "NAME", "USER", "SCOPES", "ENDS", "LAST USED", "TOKEN"), found)


@token_group.command("revoke")
@click.argument("token_id", type=click.IntRange(1), metavar="ID")
@of_tenant
def revoke_token_command(token_id: int, slug: str) -> None:
    """End the API token with this ID on every worker."""
    config = load_config()
    with embedded_server(config):
        revoke_token(service_url(config), slug, token_id)
    click.echo(f"token {token_id} of {slug} revoked")


@user_group.command("invite")
@click.argument("email")
@of_tenant
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option("--name", "full_name", default="", help="Their full name.")
@click.option("--service", "is_service", is_flag=True, help="A program: it gets API tokens and no password.")
def invite_user_command(email: str, slug: str, role: str, full_name: str, is_service: bool) -> None:
    """Add somebody who sets their own password, and print the link for it: good for 7 days and once.

    \b
    Examples:
      opsboard user invite kim@north.example --tenant north --role manager --name "Kim Sand"
      opsboard user invite report@north.example --tenant north --role operator --service
    """
    config = load_config()
    with embedded_server(config):
        token = invite_user(
            service_url(config), signing_secret(config), slug,
            email=email, role=role, full_name=full_name, is_service=is_service,
        )  # fmt: skip
    click.echo(
        f"{email} added to {slug}; next: opsboard token add NAME --tenant {slug} --user {email} --scope read"
        if token is None
        else address_of(config, token)
    )


@user_group.command("link")
@click.argument("email")
@of_tenant
def link_command(email: str, slug: str) -> None:
    """Print a new link by which EMAIL sets their password, once within 7 days; the one before it ends."""
    config = load_config()
    with embedded_server(config):
        token = new_password_link(service_url(config), signing_secret(config), slug, email)
    click.echo(address_of(config, token))


# The name by which it is looked for.
user_group.add_command(link_command, "reset-link")


@user_group.command("hand-over")
@click.argument("email")
@of_tenant
@click.option("--to", metavar="EMAIL", help="Who gets the unfinished work.")
@click.option("--to-nobody", is_flag=True, help="Nobody gets it: it is open to all.")
@click.option("--deactivate", is_flag=True, help="Also deactivate EMAIL.")
def hand_over_command(email: str, slug: str, to: str | None, to_nobody: bool, deactivate: bool) -> None:
    """Give all unfinished steps, leads and approvals of EMAIL to somebody else.

    \b
    Example:
      opsboard user hand-over kim@north.example --to lee@north.example --deactivate --tenant north
    """
    if (to is None) != to_nobody:
        raise CommandError("Give either --to EMAIL or --to-nobody.")
    config = load_config()
    with embedded_server(config):
        done = hand_over(service_url(config), slug, email, to, deactivate)
    moved = f"{done['steps']} steps, {done['leads']} leads and {done['approvals']} approvals"
    click.echo(
        f"{moved} of {email} handed to {to or 'nobody'}" + (f"; {email} deactivated" if deactivate else "")
    )


def address_of(config: Config, token: str) -> str:
    """The link as the page knows it."""
    return f"{config.public_url or f'http://{config.host}:{config.port}'}/set-password#{token}"
