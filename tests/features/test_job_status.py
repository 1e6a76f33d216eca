"""A link shows the status of its job and nothing else, by one statement or none, while it is valid."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.auth.links import Link, read_token, write_token
from opsboard.db.connection import PooledConnection
from opsboard.errors import DatabaseUnavailable
from opsboard.web.lifecycle import DATA_POLICY, PAGE_POLICY
from tests.application import SECRET, Application, running_application
from tests.features.test_status_links import first_job, make_link, token_of
from tests.waiting import eventually

KEYS = {
    "business_name", "job_number", "title", "status", "due_date", "progress", "completed_at", "as_of",
    "days_late", "contact",
}  # fmt: skip
NOW = int(time.time())
HEARD = 20.0  # seconds; far more than the beat of 50 ms, also on a busy machine


def do(app: Application, sql: str, *parameters: object) -> Any:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchone() if cursor.description else None
        connection.commit()
        return found


def status(app: Application, token: str, **headers: str) -> Any:
    return app.flask.test_client().get(f"/api/job-status/{token}", headers=headers)


def kept(app: Application, token: str) -> None:
    """A worker that has only begun to hear the others keeps nothing yet."""
    eventually("it is kept", lambda: status(app, token).headers["X-Cache"] == "HIT")


def new_link(app: Application) -> dict[str, Any]:
    client = app.client()
    return make_link(client, first_job(client))


def test_a_customer_sees_the_status_in_their_words_and_nothing_else(own_app: Application) -> None:
    made = new_link(own_app)
    job = own_app.client().get(f"/api/jobs/{made['job_id']}").json
    assert job is not None
    own_app.client().patch(f"/api/jobs/{job['id']}", json={"status": "active", "due_date": "2031-02-03"})
    do(own_app, "UPDATE job_steps SET status = 'completed' WHERE job_id = %s AND step_order = 1", job["id"])
    do(
        own_app,
        "UPDATE job_steps SET status = 'in_progress' WHERE job_id = %s AND step_order > 1",
        job["id"],
    )
    answer = status(own_app, token_of(made))
    assert answer.status_code == 200
    found = answer.json
    assert (found.keys(), found["progress"].keys()) == (KEYS, {"steps", "done", "current"})
    assert found["business_name"] == f"{own_app.alpha.canary} works"
    assert (found["job_number"], found["title"]) == (job["job_number"], job["title"])
    assert (found["status"], found["due_date"], found["completed_at"]) == ("in_progress", "2031-02-03", None)
    process = job["steps"][1]["process"]["name"]
    assert found["progress"] == {"steps": 3, "done": 1, "current": process}


@pytest.mark.parametrize(
    ("state", "due", "completed", "days", "words"),
    [
        ("active", -5, None, 5, "This job is late: the due date passed 5 days ago."),
        ("draft", -1, None, 1, "This job is late: the due date passed 1 day ago."),
        ("on_hold", -1000, None, 1000, "This job is late: the due date passed 1,000 days ago."),
        ("completed", -9, -2, 7, "It was completed 7 days after its due date."),
        ("completed", -2, -9, 0, None),
        ("cancelled", -5, None, 0, None),
        ("active", 0, None, 0, None),
        ("active", None, None, 0, None),
    ],
)
def test_a_late_job_says_so_in_days_of_the_business(
    own_app: Application, state: str, due: int | None, completed: int | None, days: int, words: str | None
) -> None:
    made = new_link(own_app)
    # Where it is tomorrow already, or yesterday still.
    do(own_app, "UPDATE tenants SET time_zone = 'Pacific/Kiritimati'")
    do(
        own_app,
        "WITH d AS (SELECT (now() AT TIME ZONE 'Pacific/Kiritimati')::date AS today) "
        "UPDATE jobs SET status = %s, due_date = d.today + %s::int, "
        "completed_at = (d.today + %s::int + time '00:30') AT TIME ZONE 'Pacific/Kiritimati' FROM d WHERE id = %s",
        state, due, completed, made["job_id"],
    )  # fmt: skip
    assert status(own_app, token_of(made)).json["days_late"] == days
    page = own_app.flask.test_client().get(f"/status/{token_of(made)}").get_data(as_text=True)
    assert ('class="lateness"' in page) == bool(words)
    assert words is None or words in page


def test_the_contact_of_the_business_comes_from_its_settings(own_app: Application) -> None:
    made = new_link(own_app)
    do(own_app, "DELETE FROM business_settings")
    empty = {"email": None, "phone": None, "whatsapp": None}
    assert status(own_app, token_of(made)).json["contact"] == empty
    new = {
        "locale": "en", "currency": "EUR", "opens_at": "08:00", "closes_at": "17:00", "auto_reply": False,
        "contact_email": "shop@alpha.example", "contact_phone": "+49 30 1234",
    }  # fmt: skip
    assert own_app.client().put("/api/settings", json=new).status_code == 200
    contact = {"email": "shop@alpha.example", "phone": "+49 30 1234", "whatsapp": None}
    assert status(own_app, token_of(made)).json["contact"] == contact
    page = own_app.flask.test_client().get(f"/status/{token_of(made)}").get_data(as_text=True)
    assert 'href="tel:+49301234"' in page and 'href="mailto:shop@alpha.example"' in page
    assert "WhatsApp" not in page


@pytest.mark.parametrize(
    ("of_job", "told"),
    [
        ("draft", "planned"), ("active", "in_progress"), ("on_hold", "on_hold"), ("completed", "completed"),
        ("cancelled", "cancelled"),
    ],
)  # fmt: skip
def test_each_status_has_a_word_and_only_work_under_way_names_a_process(
    own_app: Application, of_job: str, told: str
) -> None:
    made = new_link(own_app)
    do(own_app, "UPDATE job_steps SET status = 'in_progress' WHERE job_id = %s", made["job_id"])
    do(own_app, "UPDATE jobs SET status = %s WHERE id = %s", of_job, made["job_id"])
    found = status(own_app, token_of(made)).json
    assert found["status"] == told
    assert (found["progress"]["current"] is not None) == (of_job == "active")
    page = own_app.flask.test_client().get(f"/status/{token_of(made)}").get_data(as_text=True)
    assert f"is-{told}" in page and ("Now in work" in page) == (of_job == "active")


def test_neither_answer_nor_page_has_a_name_or_number_that_is_not_the_customers(
    own_app: Application,
) -> None:
    """Data around the job contain unique words; none of them may appear."""
    made = new_link(own_app)
    job = made["job_id"]
    do(
        own_app,
        "UPDATE jobs SET status = 'active', description = 'secretword', external_id = 'secretword' || id",
    )
    do(own_app, "UPDATE users SET full_name = 'secretword'")
    do(
        own_app,
        "UPDATE customers SET name = 'secretword', email = 'secretword@x.example', address = 'secretword'",
    )
    do(own_app, "UPDATE machines SET name = 'secretword' || id, location = 'secretword'")
    do(own_app, "UPDATE processes SET description = 'secretword'")
    do(own_app, "UPDATE tenants SET slug = 'secretword' || id")
    do(
        own_app,
        "UPDATE job_steps SET quantity_done = 77123, quantity_rejected = 77456 WHERE job_id = %s",
        job,
    )
    do(own_app, "UPDATE jobs SET quantity = 77789 WHERE id = %s", job)
    for path in ("/api/job-status/", "/status/"):
        text = own_app.flask.test_client().get(path + token_of(made)).get_data(as_text=True)
        assert own_app.alpha.canary in text.lower()
        assert not re.search("secretword|77123|77456|77789", text)


def test_a_miss_is_one_statement_and_a_hit_is_none_for_page_and_api_alike(own_app: Application) -> None:
    token = token_of(new_link(own_app))
    kept(own_app, token)
    client = own_app.flask.test_client()

    def told() -> list[tuple[str, str]]:
        own_app.services.store.clear()
        answers = [client.get(path + token) for path in ("/api/job-status/", "/status/", "/api/job-status/")]
        return [(answer.headers["X-Cache"], answer.headers["X-Queries"]) for answer in answers]

    def is_shared() -> bool:
        """Unless the echo of a write is heard between them."""
        found = told()
        assert set(found) <= {("MISS", "1"), ("HIT", "0")}
        return found == [("MISS", "1"), ("HIT", "0"), ("HIT", "0")]

    eventually("page and API share what is kept", is_shared)


@pytest.mark.parametrize("path", ["/api/job-status/", "/status/"])
def test_what_the_reader_has_already_is_304(own_app: Application, path: str) -> None:
    token = token_of(new_link(own_app))
    client = own_app.flask.test_client()
    first = client.get(path + token)
    again = client.get(path + token, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for answer in (first, again):
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Content-Security-Policy"] == (
            PAGE_POLICY if path == "/status/" else DATA_POLICY
        )


def test_a_change_of_the_job_is_seen_at_once(own_app: Application) -> None:
    made = new_link(own_app)
    kept(own_app, token_of(made))
    own_app.client().patch(f"/api/jobs/{made['job_id']}", json={"title": "Another title"})
    assert status(own_app, token_of(made)).json["title"] == "Another title"


def broken(token: str) -> dict[str, str]:
    payload, signature = token.split(".")
    turned = "A" if signature[0] != "A" else "B"
    return {
        "another signature": f"{payload}.{turned}{signature[1:]}",
        "no signature": payload,
        "an empty one": f"{payload}.",
        "cut": token[:-1],
        "longer": token + "A",
        "no token": "x",
        "another key": write_token("another secret that is long enough", Link(1, 1, NOW + 9999)),
        "another tenant's payload": write_token(SECRET, Link(2, 1, NOW + 9999)).split(".")[0]
        + "."
        + signature,
        "not ASCII": token[:-1] + "é",
        "very long": "A" * 5000 + "." + signature,
        "a token of a sign-in": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA",
    }


def test_a_token_we_did_not_make_is_404_before_any_connection(app: Application) -> None:
    good = write_token(SECRET, Link(app.alpha.id, 1, NOW + 9999))
    stats = app.services.database.pool.get_stats
    for wrong, token in broken(good).items():
        before = stats()["requests_num"]
        answer = status(app, token)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), wrong
        assert answer.headers["X-Queries"] == "0" and stats()["requests_num"] == before, wrong
        page = app.flask.test_client().get(f"/status/{token}")
        assert (page.status_code, page.mimetype) == (404, "text/html"), wrong
        assert "This link is not complete" in page.get_data(as_text=True)
        assert stats()["requests_num"] == before, wrong


def test_links_that_were_given_out_hold_over_releases() -> None:
    """The signature must not depend on a library's defaults."""
    told = "WzcsOCw0MDAwMDAwMDAwXQ.UOrSIBNZIZsgL76Y-fIUw4s2jus6GlhMmHajIfR799c"
    assert write_token("k" * 32, Link(7, 8, 4_000_000_000)) == told
    assert read_token("k" * 32, told) == (7, 8, 4_000_000_000)


def test_no_other_letter_anywhere_in_a_token_is_taken(app: Application) -> None:
    """Base64 can spell the end of a signature in four ways; a link has one address."""
    good = write_token(SECRET, Link(app.alpha.id, 1, 4_000_000_000))
    assert status(app, good).status_code == 200
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in (0, 5, good.index(".") - 1, good.index(".") + 1, len(good) - 1):
        for letter in letters:
            token = good[:place] + letter + good[place + 1 :]
            assert token == good or status(app, token).status_code == 404, token


def test_a_token_of_one_business_shows_nothing_of_another(app: Application) -> None:
    """Signed by us, with the other's link: row security and predicates are those of the tenant it names."""
    theirs = do(app, "SELECT min(id) FROM job_status_links WHERE tenant_id = %s", app.beta.id)[0]
    own = write_token(SECRET, Link(app.beta.id, theirs, 4_000_000_000))
    assert app.beta.canary in status(app, own).get_data(as_text=True).lower()
    mixed = status(app, write_token(SECRET, Link(app.alpha.id, theirs, 4_000_000_000)))
    assert mixed.status_code == 404


def test_each_link_has_the_answer_of_its_own_job(own_app: Application) -> None:
    """Two links that end in the same second, both kept."""
    found = do(
        own_app,
        "SELECT array_agg(id ORDER BY id) FROM job_status_links WHERE expires_at = to_timestamp(4e9)",
    )
    mine, other, *theirs = (
        Link(tenant, link, 4_000_000_000) for tenant, link in zip((1, 1, 2, 2), found[0], strict=True)
    )
    seen = set()
    for _ in range(2):
        for link in (mine, other, *theirs):
            kept(own_app, write_token(SECRET, link))
            seen.add(status(own_app, write_token(SECRET, link)).json["job_number"])
    assert seen == {"CANARYALPHA-0001", "CANARYALPHA-0002", "CANARYBETA-0001", "CANARYBETA-0002"}
    never = Link(1, mine.link_id, 4_000_000_001)
    assert status(own_app, write_token(SECRET, never)).status_code == 404


def test_a_sign_in_beside_the_link_changes_nothing(app: Application) -> None:
    token = write_token(SECRET, Link(app.alpha.id, 1, 4_000_000_000))
    plain = status(app, token)
    for sent in (f"Bearer {app.token('admin', app.beta)}", "Bearer nonsense"):
        assert status(app, token, Authorization=sent).data == plain.data


def test_an_expired_link_is_410_and_asks_nobody(own_app: Application) -> None:
    made = new_link(own_app)
    do(
        own_app,
        "UPDATE job_status_links SET expires_at = to_timestamp(%s) WHERE id = %s",
        NOW - 1,
        made["id"],
    )
    token = write_token(SECRET, Link(own_app.alpha.id, made["id"], NOW - 1))
    answer = status(own_app, token)
    assert (answer.status_code, answer.json["code"], answer.headers["X-Queries"]) == (410, "gone", "0")
    assert answer.json["detail"] == "This link has expired."
    page = own_app.flask.test_client().get(f"/status/{token}")
    assert page.status_code == 410 and "no longer valid" in page.get_data(as_text=True)


def test_a_kept_answer_ends_with_the_link(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(new_link(own_app))
    kept(own_app, token)
    later = time.time() + 61 * 86400
    monkeypatch.setattr("opsboard.features.job_status.status.time.time", lambda: later)
    assert status(own_app, token).status_code == 410


def test_a_link_made_again_with_the_number_of_one_that_was_lost_does_not_open_for_the_old_token(
    own_app: Application,
) -> None:
    """As after a database was brought back from a copy: the same id, another job."""
    made = new_link(own_app)
    do(
        own_app,
        "UPDATE job_status_links SET expires_at = expires_at + interval '1 second' WHERE id = %s",
        made["id"],
    )
    assert status(own_app, token_of(made)).status_code == 404


def test_a_revoked_link_is_refused_at_once_and_that_is_kept_too(own_app: Application) -> None:
    made = new_link(own_app)
    token = token_of(made)
    kept(own_app, token)
    own_app.client().delete(f"/api/jobs/{made['job_id']}/status-links/{made['id']}")
    answer = status(own_app, token)
    assert (answer.status_code, answer.json["detail"]) == (410, "This link was revoked.")
    eventually("the refusal costs nothing", lambda: status(own_app, token).headers["X-Queries"] == "0")
    assert status(own_app, token).status_code == 410


def test_another_worker_hears_that_a_link_was_revoked(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta) as other:
        made = new_link(own_app)
        token = token_of(made)
        kept(other, token)
        own_app.client().delete(f"/api/jobs/{made['job_id']}/status-links/{made['id']}")
        eventually("the other worker refuses it", lambda: status(other, token).status_code == 410)


def test_while_the_database_is_away_no_answer_from_before_a_revocation_is_given(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_link(own_app)
    token = token_of(made)
    kept(own_app, token)
    own_app.client().delete(f"/api/jobs/{made['job_id']}/status-links/{made['id']}")

    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable()

    monkeypatch.setattr(own_app.services.database, "fetch_row", away)
    assert status(own_app, token).status_code == 503
    page = own_app.flask.test_client().get(f"/status/{token}")
    assert (page.status_code, page.mimetype, page.headers["Retry-After"]) == (503, "text/html", "2")


def test_words_behind_the_address_of_a_page_do_not_shut_it(own_app: Application) -> None:
    token = token_of(new_link(own_app))
    client = own_app.flask.test_client()
    assert client.get(f"/status/{token}?fbclid=abc&utm_source=mail&fbclid=2").status_code == 200
    assert client.get(f"/api/job-status/{token}?fbclid=abc").status_code == 400


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_line_no_metric_and_no_health_page_has_a_token(
    own_app: Application, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, log_level="debug", log_format=form, slow_query_ms=1
    ) as app:
        made = new_link(app)
        token = token_of(made)
        client = app.flask.test_client()
        for path in (
            f"/api/job-status/{token}", f"/status/{token}", f"/status/{token}?fbclid=x", f"/status/{token}.",
            f"/status/{token}/", f"//status/{token}", f"/api/job-status/{token}/x", f"/nowhere/{token}",
            f"/api/job-status/{token[:-1]}",
        ):  # fmt: skip
            for method in ("GET", "HEAD", "POST"):
                client.open(path, method=method)
        app.client().delete(f"/api/jobs/{made['job_id']}/status-links/{made['id']}")
        client.get(f"/status/{token}")
        shown = "".join(
            app.client().get(path).get_data(as_text=True)
            for path in ("/api/health/queries", "/api/health/cache", "/api/health/db", "/metrics")
        )
    logged = capsys.readouterr().err
    assert (
        "/status/..." in logged and "/api/job-status/..." in logged and "job_status.get_job_status" in logged
    )
    assert "job_status" in shown
    payload, signature = token.split(".")
    for text in (logged, shown):
        assert signature[:-1] not in text and payload not in text


def test_statements_hold_no_token(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords must not be sent: pg_stat_activity and the server's log would show them."""
    run, sent = PooledConnection.run_clean, []

    def noted(self: PooledConnection, sql: str, params: Any = None) -> Any:
        sent.append(sql + repr(params))
        return run(self, sql, params)

    monkeypatch.setattr(PooledConnection, "run_clean", noted)
    client = own_app.client()
    made = make_link(client, first_job(client), headers={"Idempotency-Key": "k"})
    make_link(client, made["job_id"], headers={"Idempotency-Key": "k"})
    status(own_app, token_of(made))
    assert any("get_job_status" in text for text in sent) and any(
        "create_status_link" in text for text in sent
    )
    assert not any(token_of(made).split(".")[1] in text for text in sent)


def test_the_page_escapes_what_people_wrote(own_app: Application) -> None:
    made = new_link(own_app)
    own_app.client().patch(f"/api/jobs/{made['job_id']}", json={"title": "<script>alert(1)</script> & Söhne"})
    page = own_app.flask.test_client().get(f"/status/{token_of(made)}").get_data(as_text=True)
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne" in page
    assert json.loads(status(own_app, token_of(made)).data)["title"].startswith("<script>")
