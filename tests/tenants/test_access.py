"""People and programs are let in from the command line as by the API."""

from __future__ import annotations

from typing import Any

from tests.application import Application
from tests.application import run as run_sql
from tests.commands.conftest import run  # noqa: F401
from tests.features.test_api_tokens import ask
from tests.features.test_people import GOOD, accept, person_with_work
from tests.tenants.test_changing import do  # noqa: F401
from tests.waiting import eventually


def test_somebody_is_invited_and_gets_a_new_link(own_app: Application, do: Any) -> None:  # noqa: F811
    first = do(
        "user", "invite", "kim@north.example", "--tenant", "alpha", "--role", "manager", "--name", "Kim"
    )
    second = do("user", "link", "KIM@north.example", "--tenant", "alpha")
    old, token = (line.strip().partition("/set-password#")[2] for line in (first, second))
    assert accept(own_app, old).status_code == 410
    assert accept(own_app, token).json == {"email": "kim@north.example", "tenant": "alpha"}
    assert own_app.sign_in("kim@north.example", GOOD).status_code == 200
    again = ("user", "invite", "kim@north.example", "--tenant", "alpha", "--role", "manager")
    assert "already" in do(*again, fails=True)
    noted = (
        "SELECT user_id, action FROM audit_logs WHERE entity = 'user' AND action = 'create' ORDER BY id DESC"
    )
    assert run_sql(own_app, noted)[0] == (None, "create")


def test_a_program_gets_a_token_until_it_is_revoked(own_app: Application, do: Any) -> None:  # noqa: F811
    robot = "robot@north.example"
    assert "token add" in do("user", "invite", robot, "--tenant", "alpha", "--role", "operator", "--service")
    assert "service account" in do("user", "link", robot, "--tenant", "alpha", fails=True)
    made = do("token", "add", "Report", "--tenant", "alpha", "--user", robot, "--scope", "read").strip()
    assert ask(own_app, made).status_code == 200
    assert ask(own_app, made, "/api/jobs", "POST", json={"title": "x"}).status_code == 403
    listed = do("token", "list", "--tenant", "alpha")
    assert made.rpartition(".")[0] in listed and made.rpartition(".")[2] not in listed
    ((token_id,),) = run_sql(own_app, "SELECT id FROM api_tokens WHERE name = 'Report'")
    assert do("token", "revoke", str(token_id), "--tenant", "beta", fails=True)
    do("token", "revoke", str(token_id), "--tenant", "alpha")
    eventually("it has ended", lambda: ask(own_app, made).status_code == 401)
    assert "Report" not in do("token", "list", "--tenant", "alpha")


def test_work_is_handed_over(own_app: Application, do: Any) -> None:  # noqa: F811
    person = person_with_work(own_app)
    words = ("user", "hand-over", person["email"], "--tenant", "alpha")
    assert "either" in do(*words, fails=True)
    assert "no user" in do(*words, "--to", "nobody@alpha.example", fails=True)
    told = do(*words, "--to", own_app.alpha.email("manager"), "--deactivate")
    assert "1 approvals" in told and "deactivated" in told
    shown: Any = own_app.client().get(f"/api/users/{person['id']}").json
    assert (shown["is_active"], shown["work_left"]["leads"]) == (False, 0)
