"""opsboard bench --url: the figures of one address of a running service are those of its answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.clusters import fresh_database
from tests.deploy.conftest import people_of
from tests.deploy.servers import Gunicorn, free_port, running_gunicorn
from tests.seed import Business

Server = tuple[Gunicorn, int, str]


@pytest.fixture(scope="module")
def server(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Server]:
    """A service of one worker, its port and a token."""
    port = free_port()
    with fresh_database(cluster, seeded[0]) as database:
        # To fold words in bulk changes their tables: half a second after its first request the worker would do it and
        # drop the cached answers.
        with (
            closing(psycopg2.connect(database.superuser_url)) as connection,
            connection,
            connection.cursor() as cur,
        ):
            cur.execute("SELECT fold_rollups(1000000), fold_words(1000000)")
        with running_gunicorn(
            "tests.deploy.probe_app:app()",
            DATABASE_URL=database.app_url, BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY="1",
        ) as gunicorn:  # fmt: skip
            yield gunicorn, port, people_of(database)[0].token


def bench(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("opsboard"))
    return subprocess.run(
        [program, "bench", "--seconds", "0.5", *options],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def figures(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    return {name: text for name, text in re.findall(r"(?m)^(\w+) +(.+)$", done.stdout)}


def test_a_list_that_is_kept_costs_one_statement_for_all_clients(server: Server) -> None:
    _, port, token = server
    told = figures(
        bench(
            "--url", "/api/jobs?fields=id,title", "--clients", "5",
            HOST="127.0.0.1", PORT=str(port), OPSBOARD_TOKEN=token,
        )
    )  # fmt: skip
    answers = int(told["answers"].split()[0].replace(",", ""))
    assert answers >= 5 and told["status"] == f"200 {answers:,}"
    # The look at its size made it; all that are counted find it.
    assert told["cache"] == f"HIT {answers:,}"
    assert told["statements"].startswith("0,")
    whole, zipped = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", told["bytes"]))
    assert 0 < zipped < whole
    assert re.fullmatch(r"p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, longest [\d.]+ ms", told["latency"])


def test_answers_that_are_refused_are_counted_by_their_status(server: Server) -> None:
    _, port, _ = server
    told = figures(bench("--url", f"http://127.0.0.1:{port}/api/jobs", "--clients", "2"))
    assert re.fullmatch(r"401 [\d,]+", told["status"])


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/api/jobs", "http:///api/jobs", "http://127.0.0.1:1/api/jobs"]
)
def test_what_cannot_be_asked_is_told_in_words(url: str) -> None:
    done = bench("--url", url)
    assert done.returncode != 0 and done.stdout == ""
    assert "Traceback" not in done.stderr and url in done.stderr
