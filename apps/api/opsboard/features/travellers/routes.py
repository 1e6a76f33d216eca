"""/jobs/<id>/traveller: a page to print that goes with a job through the shop."""

from __future__ import annotations

import datetime as dt
import json
from http import HTTPStatus
from typing import Any

from flask import Response, render_template, request

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.features.travellers.codes import qr_code, terminal_address
from opsboard.web.area import Area
from opsboard.web.document import document, respond
from opsboard.web.lifecycle import PAGE_POLICY
from opsboard.web.problems import ours
from opsboard.web.services import public_address

area = Area(
    "travellers",
    __name__,
    tag="Travellers",
    url_prefix="",
    enable_openapi=False,
    template_folder="templates",
)
sql = load_queries(__package__)

# Errors that people can act on; all others are problem documents.
TROUBLE = {
    401: (
        "Sign in to see this traveller",
        "Sign in with the link below and open the traveller of the job again.",
    ),
    403: ("You may not see this traveller", "Ask an admin of your business for the rights."),
    404: ("There is no such job", "It was removed, or it belongs to another business."),
}


@area.get("/jobs/<id:job_id>/traveller")
def traveller(job_id: int) -> Response:
    """The job and its steps on paper, each step with room to write and a code that opens it on the terminal."""
    job: dict[str, Any] = json.loads(document(sql.get_traveller, job_id=job_id).identity)
    address = public_address()
    for step in job["steps"]:
        step["code"] = qr_code(terminal_address(address, "step", step["id"]))
        step["times"] = times(step, job["quantity"])
    code = qr_code(terminal_address(address, "job", job["id"]))
    html = render_template("traveller.html", job=job, code=code, day=day)
    response = respond(Body(html.encode()), "BYPASS", content_type="text/html; charset=utf-8")
    # On a 304 too, as on the other pages.
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


def times(step: dict[str, Any], quantity: int) -> list[tuple[str, str]]:
    """The planned times of a step with their names; those that nobody has planned are left out."""
    setup, seconds = step["setup_minutes"], step["seconds_per_piece"]
    shown = []
    if setup is not None:
        shown.append(("Set-up", duration(setup * 60)))
    if seconds is not None:
        shown.append(("A piece", duration(seconds)))
        shown.append(("In all", duration((setup or 0) * 60 + seconds * quantity)))
    return shown


def duration(seconds: int) -> str:
    """5400 is 1 h 30 min, 90 is 1 min 30 s; seconds are left out from an hour on."""
    minutes, rest = divmod(seconds, 60)
    if minutes >= 60:
        minutes, rest = minutes + (rest >= 30), 0
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "0 min"


def day(text: str) -> str:
    """A civil date: 2026-03-01 is 1 March 2026."""
    date = dt.date.fromisoformat(text)
    return f"{date.day} {date:%B %Y}"


@area.errorhandler(OpsboardError)
def trouble(error: OpsboardError) -> Response:
    """An error as a page, since people open this address in a browser."""
    if error.status not in TROUBLE:
        return ours(error)
    title, advice = TROUBLE[error.status]
    job_id = (request.view_args or {}).get("job_id")
    html = render_template("traveller_trouble.html", title=title, advice=advice, job_id=job_id)
    response = Response(html, status=HTTPStatus(error.status), mimetype="text/html")
    response.headers.update(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response
