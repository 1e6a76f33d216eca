"""/api/job-status/<token>, and the page /status/<token>: the progress of a job, for the holder of the link."""

from __future__ import annotations

import datetime as dt
import json
from http import HTTPStatus
from typing import Any

from flask import Response, render_template

from opsboard.cache.body import Body
from opsboard.errors import OpsboardError
from opsboard.features.job_status.schemas import JobStatusForCustomer
from opsboard.features.job_status.status import find_status
from opsboard.web.access import open_to_all
from opsboard.web.area import Area
from opsboard.web.arguments import any_query_string
from opsboard.web.document import respond
from opsboard.web.lifecycle import PAGE_POLICY
from opsboard.web.openapi import problems

area = Area("job_status", __name__, tag="Job status", url_prefix="", template_folder="templates")

HTML = "text/html"
# The address is the key: it goes to no other site, and no search engine shows what is behind it.
SECRET_ADDRESS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
# Name of each status, and its meaning for the customer.
WORDS = {
    "planned": ("Planned", "The work is planned and has not begun yet."),
    "in_progress": ("In progress", "We are working on it."),
    "on_hold": ("On hold", "The work is paused for the moment."),
    "completed": ("Completed", "The work is done."),
    "cancelled": ("Cancelled", "This job was cancelled."),
}
# Errors a customer can act on; all others propagate.
TROUBLE = {
    404: (
        "This link is not complete",
        "Part of the address may be missing. Open it again from the message you got.",
    ),
    410: ("This link is no longer valid", "Please ask for a new one where you got this one from."),
}
LATER = ("The status cannot be shown right now", "Please try again in a moment.")


@area.get("/api/job-status/<token>")
@area.output(JobStatusForCustomer)
@problems(404, 410)
@open_to_all
def get_job_status(token: str) -> Response:
    """The progress of a job for the holder of a link; a sign-in token is neither needed nor read."""
    return respond(*find_status(token))


@area.get("/status/<path:token>")
@area.doc(hide=True)
@open_to_all
@any_query_string
def status_page(token: str) -> Response:
    """The same as a page for the customer."""
    try:
        body, outcome, age = find_status(token)
    except OpsboardError as error:
        return trouble(error)
    html = render_template("job_status.html", etag=body.etag.strip('"'), **shown(json.loads(body.identity)))
    response = respond(Body(html.encode()), outcome, age, f"{HTML}; charset=utf-8")
    # On a 304 too, as on the other pages.
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


def shown(status: dict[str, Any]) -> dict[str, Any]:
    """The names used by the page's template."""
    label, meaning = WORDS[status["status"]]
    words = {"label": label, "meaning": meaning, "lateness": lateness(status)}
    return {"job": status, **words, "day": day, "moment": moment}


def lateness(status: dict[str, Any]) -> str:
    """Return the note on a job that is or was late; empty for one that is on time."""
    days = status["days_late"]
    if not days:
        return ""
    count = "1 day" if days == 1 else f"{days:,} days"
    if status["status"] == "completed":
        return f"It was completed {count} after its due date."
    return f"This job is late: the due date passed {count} ago."


def day(text: str) -> str:
    """A civil date: 2026-03-01 is 1 March 2026."""
    date = dt.date.fromisoformat(text)
    return f"{date.day} {date:%B %Y}"


def moment(text: str) -> str:
    """A moment as it stands in the page until a script tells it in the reader's own time zone."""
    at = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def trouble(error: OpsboardError) -> Response:
    title, advice = TROUBLE.get(error.status, LATER)
    html = render_template("job_status_trouble.html", title=title, advice=advice)
    response = Response(html, status=HTTPStatus(error.status), mimetype=HTML)
    response.headers.update(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


@area.after_request
def keep_address_secret(response: Response) -> Response:
    response.headers.update(SECRET_ADDRESS)
    return response
