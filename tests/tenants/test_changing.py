"""Businesses and users listed and changed from the command line."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from tests.application import SECRET, Application
from tests.commands.conftest import Run, run  # noqa: F401

NEW_PASSWORD = "a long and new secret"


@pytest.fixture
def do(run: Run, own_app: Application):  # type: ignore[no-untyped-def]  # noqa: F811
    """Run a command on the application's database as its service; what it prints."""

    def do(*words: str, fails: bool = False, typed: str = "") -> str:
        settings = {"DATABASE_URL": own_app.database.app_url, "SECRET_KEY": SECRET}
        result = run(*words, typed=typed or None, **settings)
        if fails:
            assert result.exception is not None
            return str(getattr(result.exception, "detail", result.exception))
        assert result.exit_code == 0, result.output + repr(result.exception)
        return result.output

    return do


def audited(app: Application) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, entity, changes FROM audit_logs WHERE action = 'update' ORDER BY id DESC LIMIT 1"
        )
        return cursor.fetchall()


def test_businesses_and_people_are_listed_with_their_state(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    lines = [line.split() for line in do("tenant", "list").splitlines()]
    assert lines[0] == ["ID", "SLUG", "NAME", "TIME", "ZONE", "PEOPLE"]
    assert [line[:2] for line in lines[1:]] == [
        [str(business.id), business.slug] for business in (own_app.alpha, own_app.beta)
    ]
    do("user", "deactivate", own_app.alpha.email("operator"), "--tenant", "alpha")
    users = {line.split()[1]: line for line in do("user", "list", "--tenant", "alpha").splitlines()[1:]}
    assert "active" in users[own_app.alpha.email("admin")] and "admin" in users[own_app.alpha.email("admin")]
    assert "deactivated" in users[own_app.alpha.email("operator")]
    assert own_app.beta.email("admin") not in users
    assert "There is no business nowhere" in do("user", "list", "--tenant", "nowhere", fails=True)


def test_a_business_gets_another_name_and_time_zone(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    do("tenant", "change", "alpha", "--name", "Another", "--time-zone", "Europe/Berlin")
    assert own_app.client().get("/api/tenant").json["name"] == "Another"  # type: ignore[index]
    assert "Europe/Berlin" in do("tenant", "list")
    ((user_id, entity, changes),) = audited(own_app)
    assert (user_id, entity, changes["name"][1]) == (None, "tenant", "Another")  # type: ignore[index]
    assert "did you mean Europe/Berlin" in do(
        "tenant", "change", "alpha", "--time-zone", "Europe/Berlni", fails=True
    )
    assert "Nothing to change" in do("tenant", "change", "alpha", fails=True)


def test_a_user_gets_another_name_and_role_and_is_signed_out(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    email, client = own_app.alpha.email("operator"), own_app.client("operator")
    assert client.get("/api/auth/me").status_code == 200
    do("user", "rename", email.upper(), "--tenant", "alpha", "--name", "Kim Sand")
    do("user", "role", email, "manager", "--tenant", "alpha")
    me = own_app.client("operator").get("/api/auth/me").json
    assert me is not None and (me["full_name"], me["role"]) == ("Kim Sand", "manager")
    ((user_id, entity, changes),) = audited(own_app)
    assert (user_id, entity, changes["role"]) == (None, "user", ["operator", "manager"])  # type: ignore[index]
    own_app.services.change_feed.poll()
    assert client.get("/api/auth/me").status_code == 401
    assert "alpha has no user nobody@x.example" in do(
        "user", "role", "nobody@x.example", "admin", "--tenant", "alpha", fails=True
    )


def test_a_deactivated_user_cannot_sign_in_until_activated(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    email = own_app.alpha.email("manager")
    do("user", "deactivate", email, "--tenant", "alpha")
    assert own_app.sign_in(email).status_code == 401
    do("user", "activate", email, "--tenant", "alpha")
    assert own_app.sign_in(email).status_code == 200


def test_a_business_keeps_an_admin(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    email = own_app.alpha.email("admin")
    for words in (("deactivate", email), ("role", email, "operator")):
        assert "last admin" in do("user", *words, "--tenant", "alpha", fails=True)
    assert own_app.sign_in(email).status_code == 200


def lock_out(app: Application, email: str) -> None:
    for _ in range(app.services.config.login_attempts + 1):
        place = app.services.sign_in._attempts.begin(email, "127.0.0.1", None)
    assert not place.is_allowed
    assert app.sign_in(email).status_code == 429


@pytest.mark.parametrize("typed_as", [str, str.upper], ids=["as stored", "upper case"])
def test_a_user_who_tried_too_often_is_unlocked(own_app: Application, do, typed_as) -> None:  # type: ignore[no-untyped-def]
    email, other = own_app.alpha.email("manager"), own_app.alpha.email("operator")
    for address in (email, other):
        lock_out(own_app, address)
    do("user", "unlock", typed_as(email), "--tenant", "alpha")
    assert own_app.sign_in(email).status_code == 200
    assert own_app.sign_in(other).status_code == 429, "another account stays locked"
    lock_out(own_app, email)


def test_another_password_unlocks(own_app: Application, do) -> None:  # type: ignore[no-untyped-def]
    email = own_app.alpha.email("manager")
    lock_out(own_app, email)
    do("user", "password", email, "--tenant", "alpha", typed=f"{NEW_PASSWORD}\n")
    assert own_app.sign_in(email, NEW_PASSWORD).status_code == 200


def test_a_reset_link_unlocks(own_app: Application) -> None:
    email, admin = own_app.alpha.email("manager"), own_app.client()
    people = admin.get("/api/users?role=manager").json
    assert people is not None
    (person,) = [one for one in people["items"] if one["email"] == email]
    lock_out(own_app, email)
    link = admin.post(f"/api/users/{person['id']}/password-link", json={}).json
    assert link is not None and "token" in link, link
    own_app.services.password_links.use(link["token"], NEW_PASSWORD)
    assert own_app.sign_in(email, NEW_PASSWORD).status_code == 200
