"""Refuses writes while an operator has paused them; reads, sign-ins and what operators do go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

from opsboard.errors import WritesPaused
from opsboard.web.access import SAFE_METHODS
from opsboard.web.services import services

View = TypeVar("View", bound=Callable[..., Any])


def goes_on(view: View) -> View:
    """This write is about the caller's sign-in: it is possible while writes are paused, so that people can read."""
    view.goes_on = True  # type: ignore[attr-defined]
    return view


def refuse_paused_writes() -> None:
    """Before every view, after the caller is known. Raises WritesPaused."""
    pause = services().write_pause.current
    if pause is None or request.method in SAFE_METHODS:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "goes_on", False) or getattr(view, "operational", False):
        return
    raise WritesPaused(pause.retry_after, pause.reason)
