"""opsboard collisions lists what a migration found to be the same and kept."""

from __future__ import annotations

from contextlib import closing

import psycopg2

from tests.application import Application
from tests.commands.conftest import Run
from tests.commands.test_rollups import addresses


def test_rows_with_the_key_of_another_row_are_listed_by_business(own_app: Application, run: Run) -> None:
    assert run("collisions", **addresses(own_app)).output == "2 businesses, 0 collisions\n"
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO text_collisions (tenant_id, table_name, column_name, row_id, other_id, value)"
            " VALUES (%s, 'users', 'email', 7, 3, 'kim@x.example')",
            (own_app.alpha.id,),
        )
    result = run("collisions", "--tenant", "alpha", **addresses(own_app))
    assert result.exit_code == 1
    assert result.output == (
        'alpha: users 7: email "kim@x.example" is that of users 3\n1 businesses, 1 collisions\n'
    )
    assert run("collisions", "--tenant", "beta", **addresses(own_app)).exit_code == 0
