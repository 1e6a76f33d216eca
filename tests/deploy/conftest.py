"""A seeded database behind real servers, and users who are signed in without having to sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest

from opsboard.auth.tokens import Tokens
from opsboard.db.embedded import Cluster
from tests.application import SECRET
from tests.clusters import FreshDatabase, fresh_database
from tests.deploy.servers import Gunicorn, running_gunicorn, running_nginx
from tests.seed import Business


@dataclass(frozen=True)
class Person:
    """A user with a token; nobody else's answer has this address in it."""

    email: str
    canary: str
    token: str


def people_of(database: FreshDatabase) -> list[Person]:
    """Every active user of both businesses, one of each in turn; admins first."""
    tokens = Tokens(SECRET, 3600)
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("""
            SELECT u.email, split_part(u.full_name, ' ', 1), u.tenant_id, u.id, u.role, u.token_version
            FROM users AS u
            WHERE u.is_active
            ORDER BY row_number() OVER (PARTITION BY u.tenant_id ORDER BY u.role <> 'admin', u.id), u.tenant_id
        """)
        return [Person(email, canary, tokens.issue(*who)) for email, canary, *who in cursor.fetchall()]


@pytest.fixture(scope="package")
def data(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[FreshDatabase]:
    """A database with two businesses, for all servers of these tests."""
    with fresh_database(cluster, seeded[0]) as database:
        yield database


@pytest.fixture(scope="package")
def people(data: FreshDatabase) -> list[Person]:
    return people_of(data)


@pytest.fixture(scope="package")
def gunicorn(data: FreshDatabase) -> Iterator[Gunicorn]:
    """Two workers on a unix socket; for tests that leave it as they found it."""
    with running_gunicorn("tests.deploy.probe_app:app()", DATABASE_URL=data.app_url) as server:
        yield server


@pytest.fixture(scope="package")
def nginx(gunicorn: Gunicorn) -> Iterator[int]:
    """The port of nginx in front of it."""
    with running_nginx(gunicorn.socket) as port:
        yield port
