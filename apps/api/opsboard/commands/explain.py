"""opsboard explain: the plan of a named query, as the service would run it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.list_statement import Page, compose
from opsboard.db.prepared import limits_of, statement
from opsboard.db.queries import PARAMETER, Query, load_queries
from opsboard.db.session import Cursor, connected
from opsboard.demo.catalogue import BUSINESSES
from opsboard.errors import CommandError
from opsboard.features import ALL

PACKAGES = ("opsboard.auth", "opsboard.fleet", "opsboard.web", *(f"opsboard.features.{area}" for area in ALL))
# The default of most views.
USUAL = {"limit": "10", "months": "12", "events": "5", "date_from": None, "date_to": None}
PAGE_SIZE = 20
# Postgres makes as many plans for the values before it considers a generic one.
CUSTOM_PLANS_FIRST = 5
sql = load_queries("opsboard.commands")


@click.command()
@click.argument("name", metavar="[QUERY]", required=False)
@click.option("--tenant", metavar="SLUG", default=BUSINESSES[0].slug, show_default=True, help="The business.")
@click.option("--user", metavar="EMAIL", help="Who asks; the first admin when left out.")
@click.option("--set", "given", metavar="NAME=VALUE", multiple=True,
              help="A parameter of the query or a filter of a list; an empty value is NULL.")  # fmt: skip
@click.option("--sort", metavar="COLUMN", help="Of a list, with - in front for descending.")
@click.option("--analyze", is_flag=True, help="Run it too, and show times and buffers.")
def explain(
    name: str | None, tenant: str, user: str | None, given: tuple[str, ...], sort: str | None, analyze: bool
) -> None:
    """Show how PostgreSQL runs one of our queries; without QUERY, list their names.

    It runs as the role of DATABASE_URL, bound to one business, in a read-only transaction that is rolled back. The
    plan is that of the prepared statement, as a connection of the service has it after its first executions.

    \b
    Examples:
      opsboard explain
      opsboard explain dashboard.stats --tenant north --analyze
      opsboard explain jobs.list_jobs --set status={active} --sort=-due_date --analyze
    """
    queries = known_queries()
    if name is None:
        for query in queries.values():
            click.echo(f"{query.name:32} {query.doc}")
        return
    query = find_query(queries, name)
    if analyze and query.writes:
        raise CommandError(f"{name} writes; leave out --analyze, which runs it.")
    values = read_values(given)
    config = load_config()
    with (
        embedded_server(config),
        connected(service_url(config), "explain") as connection,
        connection.cursor() as cursor,
    ):
        connection.set_session(readonly=True, autocommit=False)
        values |= bind(cursor, tenant, user, values)
        text, parameters = compose_text(query, values, sort)
        options = "ANALYZE, BUFFERS, SETTINGS, SUMMARY" if analyze else "SETTINGS, SUMMARY"
        for line in plan_lines(cursor, query.name, text, parameters, options):
            click.echo(line)
        connection.rollback()


def plan_lines(
    cursor: Cursor, query_name: str, text: str, parameters: dict[str, Any], options: str
) -> Iterator[str]:
    """The lines of EXPLAIN for the prepared statement, then which kind of plan Postgres settled on."""
    prepared = statement(query_name, text, limits_of(text, parameters))
    if not prepared.can_prepare:
        cursor.execute(sql.custom_plans.sql)
    cursor.execute(prepared.prepare, parameters)
    for _ in range(CUSTOM_PLANS_FIRST):
        cursor.execute(f"EXPLAIN {prepared.execute}", parameters)
    cursor.execute(f"EXPLAIN ({options}) {prepared.execute}", parameters)
    yield from (line for (line,) in cursor.fetchall())
    for number, name in enumerate(prepared.parameters, 1):
        yield f"Parameter ${number}: {name} = {parameters[name]}"
    cursor.execute(sql.generic_plans.sql, {"name": prepared.name})
    row = cursor.fetchone()
    if not prepared.can_prepare:
        yield "Not prepared: planned for its values each time (a generic plan would read rows in vain)"
    elif row and row[0]:
        yield "Prepared: generic plan, made once for each connection"
    else:
        yield "Prepared: custom plan, made for each execution (a generic plan would cost more)"


def known_queries() -> dict[str, Query]:
    """Every query of every area by its name."""
    return {
        query.name: query
        for package in PACKAGES
        if (files(package) / "queries.sql").is_file()
        for query in load_queries(package)
    }


def find_query(queries: dict[str, Query], name: str) -> Query:
    if name in queries:
        return queries[name]
    near = difflib.get_close_matches(name, queries, 3, 0.4)
    near += [known for known in queries if known.endswith(f".{name}") and known not in near]
    hint = f" Do you mean {' or '.join(near)}?" if near else ""
    raise CommandError(f"There is no query {name}.{hint} `opsboard explain` lists them.")


def read_values(given: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs; the types are Postgres's to find, as it does for a literal."""
    values: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--set takes NAME=VALUE, not {pair}.")
        values[name] = value or None
    return values


def bind(cursor: Cursor, tenant: str, email: str | None, values: dict[str, Any]) -> dict[str, Any]:
    """Bind the transaction to a business and somebody in it, as every request is; who that is."""
    settings = {"app.tenant_slug": tenant, "app.login_email": values.get("login_email") or ""}
    for name, value in settings.items():
        cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
    cursor.execute(sql.find_tenant.sql, {"slug": tenant})
    found = cursor.fetchone()
    if found is None:
        raise CommandError(f"There is no business {tenant}; name one with --tenant.")
    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(found[0]),))
    cursor.execute(sql.find_user.sql, {"tenant_id": found[0], "email": email})
    who = cursor.fetchone()
    if who is None:
        raise CommandError(f"There is no user {email or 'at all'} at {tenant}; name one with --user.")
    return {"tenant_id": found[0], "user_id": who[0], "role": who[1]}


def compose_text(query: Query, values: dict[str, Any], sort: str | None) -> tuple[str, dict[str, Any]]:
    """The statement with all its parameters; CommandError names those that are missing."""
    if query.base:
        column = (sort or next(iter(query.sorts))).removeprefix("-")
        if column not in query.sorts:
            raise CommandError(f"{query.name} sorts by {', '.join(query.sorts)}; not by {column}.")
        page = Page(column, bool(sort and sort.startswith("-")), PAGE_SIZE)
        filters = {name: value for name, value in values.items() if name in query.filters}
        text, parameters = compose(query, filters, page)
        values = {**USUAL, **values, **parameters}
    else:
        text, values = query.sql, {**USUAL, **values}
    missing = sorted(set(PARAMETER.findall(text)) - values.keys() - {"statement_timeout"})
    if missing:
        raise CommandError(f"{query.name} needs {' '.join(f'--set {name}=...' for name in missing)}")
    return text, values
