"""opsboard journeys run --once takes what is due and says what came of it."""

from __future__ import annotations

from tests.application import Application
from tests.commands.conftest import Run
from tests.features.journeys import add_customers, empty, enter, make_journey


def test_once_takes_the_steps_that_are_due_and_counts_them(own_app: Application, run: Run) -> None:
    empty(own_app)
    enter(own_app, make_journey(own_app), add_customers(own_app, 3))
    settings = {"DATABASE_URL": own_app.database.app_url}
    first = run("journeys", "run", "--once", "--batch", "2", **settings)
    assert (first.exit_code, first.output) == (
        0, "9 taken, 9 executed, 0 deferred, 0 completed, 0 failed\n",
    )  # fmt: skip
    assert run("journeys", "run", "--once", **settings).output.startswith("0 taken, 0 executed")


def test_without_a_database_it_says_so(run: Run) -> None:
    result = run("journeys", "run", "--once", DATABASE_URL="postgresql://opsboard_app@127.0.0.1:1/nothing")
    assert result.exit_code != 0
    assert "database cannot be reached" in str(result.exception)
