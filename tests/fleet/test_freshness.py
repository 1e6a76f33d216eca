"""After a commit by any writer, every worker's next answer is new; at rest nothing cached is outdated."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import running_application
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.conftest import Person, people_of
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn, running_gunicorn
from tests.fleet.workers import LIST, STATS, Commits, Reader, jobs_in, one_client_each, reading, steps_back
from tests.seed import Business

WORKERS = 4
ADD_JOB = (
    "INSERT INTO jobs (tenant_id, job_number, title) "
    "SELECT id, gen_random_uuid(), 'new' FROM tenants WHERE slug = 'alpha'"
)
PATHS = [
    STATS,
    "/api/dashboard/recent-jobs",
    "/api/dashboard/recent-jobs?limit=3",
    "/api/dashboard/chart/jobs-by-status",
    "/api/dashboard/chart/jobs-by-month",
    "/api/dashboard/chart/jobs-by-month?months=3",
    "/api/jobs",
    "/api/jobs?status=draft&sort=job_number&page_size=3&fields=id,title",
    "/api/jobs?overdue=true&cursor=",
    "/api/job-steps?mine=true",
    "/api/notifications",
]


@dataclass
class Service:
    server: Gunicorn
    database: FreshDatabase
    people: list[Person]
    businesses: tuple[Business, Business]


@pytest.fixture(scope="module")
def service(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Service]:
    name, *businesses = seeded
    with (
        fresh_database(cluster, name) as database,
        running_gunicorn(
            "tests.deploy.probe_app:app()",
            DATABASE_URL=database.app_url,
            WEB_CONCURRENCY=str(WORKERS),
            LOG_LEVEL="warning",
        ) as server,
    ):
        yield Service(server, database, people_of(database)[:6], (businesses[0], businesses[1]))


@dataclass
class Run:
    """Commits, and the values each worker's reader saw; `own`: commits made through a reader's own worker."""

    commits: Commits
    readers: list[Reader]
    own: list[tuple[Reader, int]]

    def lags(self) -> list[float]:
        return sorted(lag for reader in self.readers for lag in self.commits.lags(reader))


def write_and_read(service: Service, number: int, path: str) -> Run:
    """Commits at random moments through two workers and past them all, while each worker is asked all the time."""
    with (
        one_client_each(service.server, service.people[0].token, WORKERS) as readers,
        one_client_each(service.server, service.people[0].token, WORKERS) as writers,
        closing(psycopg2.connect(service.database.superuser_url)) as connection,
    ):
        connection.autocommit = True
        cursor = connection.cursor()
        first = next(iter(readers.values())).get(path)
        commits = Commits(jobs_in(first))
        names = list(readers)
        own = []
        with reading(list(readers.values()), path) as seen:
            for count in range(1, number + 1):
                worker = random.choice([None, 0, 1])
                commits.begun.append(time.monotonic())
                if worker is None:
                    cursor.execute(ADD_JOB)
                else:
                    assert writers[names[worker]].post("/api/jobs", {"title": "new"}).status == 201
                    own.append((seen[worker], count))
                commits.acknowledged.append(time.monotonic())
                time.sleep(random.uniform(0, 0.1))  # how close writes are
            ends = time.monotonic() + 10
            while not all(has_all(reader, commits) for reader in seen) and time.monotonic() < ends:
                time.sleep(0.01)
    return Run(commits, seen, own)


def has_all(reader: Reader, commits: Commits) -> bool:
    return bool(reader.seen) and reader.seen[-1].jobs == commits.base + len(commits.begun)


def judge(run: Run) -> list[float]:
    """The lags; that no answer is from nowhere, out of order, or without what its own worker wrote."""
    lags, commits = run.lags(), run.commits
    everything = [seen for reader in run.readers for seen in reader.seen]
    assert {seen.status for seen in everything} == {200}
    assert {"HIT", "MISS"} <= {seen.outcome for seen in everything}
    assert sum(map(steps_back, run.readers)) == 0, "an answer older than one already known"
    assert not any(commits.from_nowhere(seen) for seen in everything)
    for reader, number in run.own:
        done = commits.acknowledged[number - 1]
        after = next(seen for seen in reader.seen if seen.began >= done)
        assert after.jobs >= commits.base + number, "a worker did not see its own write at once"
    p50, p99 = lags[len(lags) // 2], lags[int(len(lags) * 0.99)]
    print(
        f"\n{len(lags)} first new answers, {len(everything)} in all; in ms: "
        f"p50 {p50 * 1000:.0f}, p99 {p99 * 1000:.0f}, max {lags[-1] * 1000:.0f}"
    )
    return lags


@pytest.mark.parametrize("path", [STATS, LIST])
def test_after_a_commit_every_workers_next_answers_are_new(service: Service, path: str) -> None:
    lags = judge(write_and_read(service, 25, path))
    assert len(lags) == 25 * WORKERS
    # The bar of the promise is 0.1 s at p99; on a busy machine this short form allows more.
    assert lags[-1] < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("path", [STATS, LIST])
def test_after_a_commit_every_workers_next_answers_are_new_within_100_ms(service: Service, path: str) -> None:
    lags = judge(write_and_read(service, 600, path))
    assert lags[int(len(lags) * 0.99)] <= 0.1


def test_at_rest_every_kept_answer_is_what_a_fresh_computation_gives(service: Service) -> None:
    with (
        one_client_each(service.server, service.people[0].token, WORKERS) as clients,
        closing(psycopg2.connect(service.database.superuser_url)) as connection,
    ):
        connection.autocommit = True
        for number, (client, person, path) in enumerate(visits(service, list(clients.values()))):
            ask(client, person, path)
            if number % 5 == 0:
                connection.cursor().execute(ADD_JOB)
            if number % 7 == 0:
                assert ask_to_write(client, person) in (201, 403)
        time.sleep(0.2)  # the promise: nothing kept is old after this long
        right = fresh_answers(service)
        kept = 0
        for client, person, path in visits(service, list(clients.values())):
            answer = client.get(path, Authorization=f"Bearer {person.token}")
            kept += answer.headers["X-Cache"] == "HIT"
            assert answer.body == right[person.email, path], (path, answer.headers["X-Cache"])
        assert kept > 0
        for client, person, path in visits(service, list(clients.values())):
            answer = client.get(path, Authorization=f"Bearer {person.token}")
            assert (answer.headers["X-Cache"], answer.body) == ("HIT", right[person.email, path])


def visits(service: Service, clients: list[Client]) -> list[tuple[Client, Person, str]]:
    return [(client, person, path) for path in PATHS for person in service.people for client in clients]


def ask(client: Client, person: Person, path: str) -> None:
    assert client.get(path, Authorization=f"Bearer {person.token}").status == 200


def ask_to_write(client: Client, person: Person) -> int:
    return client.post("/api/jobs", {"title": "new"}, Authorization=f"Bearer {person.token}").status


def fresh_answers(service: Service) -> dict[tuple[str, str], bytes]:
    """Return the answer of an application without a cache."""
    with running_application(service.database, *service.businesses, cache_enabled=False) as keepless:
        return {
            (person.email, path): keepless.flask.test_client()
            .get(path, headers={"Authorization": f"Bearer {person.token}"})
            .data
            for person in service.people
            for path in PATHS
        }
