"""What a release leaves for the tests of later ones: `python -m tests.db.record_release tests/db/release_X_Y_Z`.

Run it in a checkout of the release. It writes the rows of a seeded database and one statement of each named query.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2

from opsboard.db.queries import Query
from opsboard.db.tenancy import BIND, BIND_SIGN_IN, bound
from tests.clusters import FreshDatabase, cluster_folder, migrate_template, running_cluster
from tests.contract.catalogue import all_queries, shapes
from tests.seed import seed

# Applied migrations are noted by the migrations themselves.
LEFT_OUT = "schema_migrations"
# Errors that a statement may meet whose values are made up: constraint violations.
EXPECTED = "23"
ROUNDS = 2


def statements(cursor: psycopg2.extensions.cursor) -> Iterator[tuple[str, str]]:
    """Name and text of each query in its first shape, bound as the service binds it."""
    for query in all_queries():
        yield query.name, text_of(cursor, query)


def text_of(cursor: psycopg2.extensions.cursor, query: Query) -> str:
    _, sql, params = next(iter(shapes(query)))
    bind = BIND_SIGN_IN if "login_email" in query.sql else BIND
    text: bytes = cursor.mogrify(bound(query.name, sql, bind), {**params, "statement_timeout": "9999ms"})
    return text.decode()


def data_of(database: FreshDatabase, cursor: psycopg2.extensions.cursor) -> str:
    """The sequences that each business has of its own, and the rows as INSERTs."""
    cursor.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    ((folder,),) = cursor.fetchall()
    dump = [f"{folder}/pg_dump", database.superuser_url]
    own = [*dump, "--schema-only", "--table=public.job_numbers_of_*"]
    rows = [*dump, "--data-only", "--inserts", "--rows-per-insert=500", "--load-via-partition-root",
            f"--exclude-table={LEFT_OUT}"]  # fmt: skip
    parts = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in (own, rows)
    ]
    return re.sub(r"^(\\(un)?restrict .*|--.*|)\n", "", "".join(parts), flags=re.MULTILINE)


def faults(database: FreshDatabase, texts: dict[str, str]) -> list[str]:
    """Statements that this version's own schema refuses."""
    found = []
    with closing(psycopg2.connect(database.app_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(ROUNDS):
            for name, text in texts.items():
                try:
                    cursor.execute(text)
                except psycopg2.Error as error:
                    if not (error.pgcode or "").startswith(EXPECTED):
                        found.append(f"{name}: {error.pgcode} {error}")
    return found


def record(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with cluster_folder() as place, running_cluster(place / "18") as cluster:
        database = FreshDatabase(cluster, migrate_template(cluster))
        seed(database.superuser_url)
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            # A count that is not folded names a transaction of this server.
            cursor.execute("SELECT fold_rollups(1000000)")
            texts = dict(statements(cursor))
            write(folder / "data.sql.gz", data_of(database, cursor))
        if refused := faults(database, texts):
            sys.exit("\n".join(refused))
    write(folder / "statements.json.gz", json.dumps(list(texts.values())))
    print(f"{len(texts)} statements")


def write(file: Path, text: str) -> None:
    # Without the time, so that the same content is the same file.
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
