"""The texts of mails: events for an address, invitations and reset links for a person."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from opsboard.auth.links import PASSWORD, Link, write_token
from opsboard.features.webhooks.mail import Letter

INVITATION = "letter.invitation"
RESET = "letter.reset"
TEXTS = {
    INVITATION: (
        "Your account at {business}",
        "Hello {full_name},\n\nyou have an account at {business}. Set your password here:\n\n{url}\n\n"
        "The link works once, until {until}.\n",
    ),
    RESET: (
        "Set a new password at {business}",
        "Hello {full_name},\n\nset a new password for your account at {business} here:\n\n{url}\n\n"
        "The link works once, until {until}. If you did not ask for it, tell your admin.\n",
    ),
}


def letter_of_link(
    event_type: str, event_id: str, person: dict[str, Any], link: Link, secret: str, public_url: str
) -> Letter:
    """An invitation or a reset link. Its address is made here and stored nowhere."""
    subject, text = TEXTS[event_type]
    until = dt.datetime.fromtimestamp(link.expires_at, dt.UTC)
    words = {
        **person,
        # Behind #: a browser sends that part to no server.
        "url": f"{public_url}/set-password#{write_token(secret, link, PASSWORD)}",
        "until": f"{until:%Y-%m-%d %H:%M} UTC",
    }
    return Letter(person["email"], subject.format(**words), text.format(**words), event_id)


def letter_of_event(address: str, event_id: str, event: dict[str, Any]) -> Letter:
    """An event as people read it."""
    data = event["data"]
    lines = [f"{event['type']} at {event['timestamp']}", ""]
    if "summary" in data:
        over = event["type"] == "alert.cleared"
        subject = f"{'over' if over else data['severity']}: {data['rule']}"
        lines += [data["summary"], "" if over else f"What to do: {data['action']}"]
    elif "board" in data:
        subject = f"The board of {data['business']} on {data['day']}"
        lines += list(figures(data["board"]))
    else:
        subject = f"{event['type'].replace('_', ' ').replace('.', ' ')} ({data.get('id', '')})".replace(
            " ()", ""
        )
        lines += [f"{name}: {json.dumps(value)}" for name, value in data.items()]
        lines += [
            f"{name}: {before} -> {after}" for name, (before, after) in event.get("changes", {}).items()
        ]
    return Letter(address, f"[Opsboard] {subject}", "\n".join(lines) + "\n", event_id)


def figures(board: Any, path: str = "") -> Iterator[str]:
    """The numbers of the board with their names; links are for the page."""
    if isinstance(board, dict):
        for name, value in board.items():
            if name != "links":
                yield from figures(value, f"{path} {name}".strip())
    elif isinstance(board, int | float | str) and not isinstance(board, bool):
        yield f"{path.replace('_', ' ')}: {board}"
