"""opsboard back-test: promised dates and risks of past days compared with what came."""

from __future__ import annotations

import datetime as dt
from datetime import datetime

import click

from opsboard.commands.back_test_cut import day_test, find_business
from opsboard.commands.back_test_report import report
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.session import connected
from opsboard.errors import CommandError

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("back-test")
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="The business.")
@click.option("--from", "first", required=True, type=DAY, metavar="YYYY-MM-DD", help="The first day.")
@click.option("--to", "last", required=True, type=DAY, metavar="YYYY-MM-DD", help="The last day.")
@click.option("--days", "number", type=click.IntRange(1, 366), default=12, show_default=True,
              help="The number of days to test, evenly spread between the two.")  # fmt: skip
def back_test(slug: str, first: datetime, last: datetime, number: int) -> None:
    """Ask for dates and risks as of past days, each with only what existed then, and compare them with what came.

    Promises are those for the jobs that began in the week after each day, risks those of the jobs open on it. The
    tables are looked at through temporary ones; nothing is stored. Prints Markdown.

    \b
    Example:
      opsboard back-test --tenant north --from 2026-01-15 --to 2026-06-30
    """
    days = spread(first.date(), last.date(), number)
    config = load_config()
    tests = []
    with embedded_server(config), connected(service_url(config), "back-test") as connection:
        business = find_business(connection, slug)
        for day in days:
            tests.append(day_test(connection, business, day))
            click.echo(f"{day}: {len(tests[-1].predicted):,} open jobs", err=True)
    for line in report(tests):
        click.echo(line)


def spread(first: dt.date, last: dt.date, number: int) -> list[dt.date]:
    """Return so many days from the first to the last, fewer if there are not as many."""
    if last < first:
        raise CommandError("--to is before --from.")
    steps = max(1, min(number, (last - first).days + 1) - 1)
    days = [first + (last - first) * place // steps for place in range(steps + 1)]
    return days[:1] if number == 1 else sorted(set(days))
