"""The application on a seeded database, and clients that are signed in."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg2
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import opsboard
from opsboard.config import load_config
from opsboard.web.services import Services
from tests.clusters import FreshDatabase
from tests.seed import PASSWORD, Business, content

SECRET = "a secret of the tests that is long enough"


@dataclass
class Application:
    """A running application with two businesses in its database."""

    flask: APIFlask
    database: FreshDatabase
    alpha: Business
    beta: Business

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The OpenAPI document. Flask makes a new one each time it is asked, which takes half a second."""
        spec: Any = self.flask.spec
        return dict(spec)

    @property
    def app(self) -> APIFlask:
        """The former name of `flask`."""
        return self.flask

    @property
    def services(self) -> Services:
        found: Services = self.flask.extensions["opsboard"]
        return found

    def client(self, role: str | None = "admin", business: Business | None = None) -> FlaskClient:
        """A client that sends the token of that role; None: of nobody."""
        client = self.flask.test_client()
        if role is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.token(role, business)}"
        return client

    def token(self, role: str = "admin", business: Business | None = None) -> str:
        """A new token, without the sign-in, which takes long and leaves an audit entry."""
        email = (business or self.alpha).email(role)
        with (
            closing(psycopg2.connect(self.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT tenant_id, id, role, token_version FROM users WHERE email = %s", (email,))
            (user,) = cursor.fetchall()
        return self.services.sign_in.tokens.issue(*user)

    def poll_changes(self) -> None:
        """Read now what other sessions changed, as the application does every 50 ms."""
        self.services.change_feed.poll()

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.flask.test_client().post("/api/auth/login", json={"email": email, "password": password})


def run(application: Application, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement without row security, and commit. Returns its rows, if it has any."""
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def running_application(
    database: FreshDatabase, alpha: Business, beta: Business, **settings: Any
) -> Iterator[Application]:
    """The application on a database; its connections are closed at the end."""
    config = load_config({"DATABASE_URL": database.app_url, "SECRET_KEY": SECRET}, env_file=None)
    with tempfile.TemporaryDirectory(prefix="opsboard-documents-") as store:
        for business in (alpha, beta):
            found = content(business.canary)
            file = Path(store, str(business.id), hashlib.sha256(found).hexdigest())
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(found)
        values = {"log_level": "warning", "health_patience_ms": 10_000, "document_store": store, **settings}
        application = Application(opsboard.create_app(config.with_values(**values)), database, alpha, beta)
        try:
            yield application
        finally:
            application.services.change_feed.stop()
            application.services.lookout.stop()
            application.services.database.pool.closeall()
            if application.services.shared:
                application.services.shared.link.stop()
