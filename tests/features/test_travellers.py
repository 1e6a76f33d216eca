"""The traveller of a job: what it says, whose codes it has, and who may see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import segno

from opsboard.features.travellers.routes import duration
from opsboard.web.lifecycle import PAGE_POLICY
from tests.application import Application, running_application
from tests.features.test_api_tokens import make
from tests.seed import ROLES
from tests.web.ways import bearer


def job_of(app: Application, business: Any = None) -> Any:
    """A job of a business with its steps."""
    client = app.client("admin", business or app.alpha)
    listed: Any = client.get("/api/jobs?sort=created_at&page_size=1").json
    return client.get(f"/api/jobs/{listed['items'][0]['id']}").json


def page(app: Application, job: int, role: str = "operator") -> str:
    answer = app.client(role).get(f"/jobs/{job}/traveller")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def codes(html: str) -> list[str]:
    """The codes of a page, by the path that draws each."""
    return [re.findall(r' d="([^"]+)"', svg)[-1] for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def code_of(address: str) -> str:
    return codes(segno.make(address, micro=False, error="m").svg_inline(light="#fff"))[0]


def test_a_traveller_says_the_job_and_its_steps_in_order(own_app: Application) -> None:
    client = own_app.client()
    processes: Any = client.get("/api/processes?is_active=true&page_size=2").json
    first, second = (process["id"] for process in processes["items"])
    steps = [
        {
            "process_id": first,
            "setup_minutes": 30,
            "seconds_per_piece": 90,
            "instructions": "Deburr <b>both</b> edges",
        },
        {"process_id": second},
    ]
    sent = {"title": "Bracket & plate", "quantity": 1200, "due_date": "2031-02-03", "steps": steps}
    made: Any = client.post("/api/jobs", json=sent).json
    html = page(own_app, made["id"])
    words = [
        made["job_number"], "Bracket &amp; plate", "1,200", "3 February 2031",
        processes["items"][0]["name"], "30 min", "1 min 30 s", "30 h 30 min",
        "Deburr &lt;b&gt;both&lt;/b&gt; edges", processes["items"][1]["name"],
    ]  # fmt: skip
    places = [html.find(word) for word in words]
    assert -1 not in places and places == sorted(places), dict(zip(words, places, strict=True))
    assert html.count("In all") == 1
    empty: Any = client.post("/api/jobs", json={"title": "Nothing to do"}).json
    assert "This job has no steps." in page(own_app, empty["id"])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (45, "45 s"), (60, "1 min"), (90, "1 min 30 s"), (3599, "59 min 59 s"), (3600, "1 h"),
     (3629, "1 h"), (3630, "1 h 1 min"), (7199, "2 h"), (3_600_000, "1,000 h")],
)  # fmt: skip
def test_a_duration_is_said_in_hours_and_minutes(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_each_code_is_the_address_of_its_step_on_the_terminal(app: Application) -> None:
    job = job_of(app)
    expected = [f"job={job['id']}", *(f"step={step['id']}" for step in job["steps"])]
    assert len(expected) > 2
    assert codes(page(app, job["id"])) == [code_of(f"http://localhost/#/work?{each}") for each in expected]
    # With an address of its own the service does not believe the name in the request.
    with running_application(app.database, app.alpha, app.beta, public_url="https://ops.example") as other:
        found = codes(page(other, job["id"]))
    assert found == [code_of(f"https://ops.example/#/work?{each}") for each in expected]


def test_only_people_of_the_business_see_it(app: Application) -> None:
    own, foreign = job_of(app), job_of(app, app.beta)
    for role in ROLES:
        assert own["job_number"] in page(app, own["id"], role)
        for job in (foreign["id"], 2**60):
            answer = app.client(role).get(f"/jobs/{job}/traveller")
            assert answer.status_code == 404 and "There is no such job" in answer.get_data(as_text=True)
            assert foreign["job_number"] not in answer.get_data(as_text=True)
    answer = app.client(None).get(f"/jobs/{own['id']}/traveller")
    assert answer.status_code == 401 and f'href="/#/jobs/{own["id"]}"' in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store" and own["title"] not in answer.get_data(as_text=True)
    assert app.client().get(f"/jobs/{own['id']}/traveller?surprise=1").status_code == 400


def test_a_token_needs_the_scope_read(own_app: Application) -> None:
    job = job_of(own_app)["id"]
    for scope, status in (("read", 200), ("write", 403), ("wall", 403)):
        headers = bearer(make(own_app, scope)["token"])
        assert (
            own_app.flask.test_client().get(f"/jobs/{job}/traveller", headers=headers).status_code == status
        )


def test_nothing_on_it_needs_more_than_the_policy_of_pages(app: Application) -> None:
    answer = app.client().get(f"/jobs/{job_of(app)['id']}/traveller")
    html = answer.get_data(as_text=True)
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]* src=)", html)
    assert "private" in answer.headers["Cache-Control"] and int(answer.headers["X-Queries"]) == 1
    again = app.client().get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Content-Security-Policy"]) == (304, PAGE_POLICY)
