"""`?profile=1`: an operator gets the profile of a request instead of its answer."""

from __future__ import annotations

import cProfile
import io
import pstats
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.datastructures import ImmutableMultiDict

from opsboard.auth.identity import Role
from opsboard.web.remembered_requests import REMEMBER
from opsboard.web.services import services

ARGUMENT = "profile"
LINES = 60


def profile_requests(app: Flask) -> None:
    """Run the view of a request that `want_profile` has marked under cProfile. Nothing of it is kept."""
    dispatch = app.dispatch_request

    def profiled() -> Any:
        if not g.get("wants_profile"):
            return dispatch()
        profiler = cProfile.Profile()
        try:
            profiler.runcall(dispatch)
        finally:
            # The fast path would answer the next one with the view's own answer.
            request.environ.pop(REMEMBER, None)
        text = io.StringIO()
        pstats.Stats(profiler, stream=text).sort_stats("cumulative").print_stats(LINES)
        return Response(text.getvalue(), mimetype="text/plain", headers={"Cache-Control": "no-store"})

    app.dispatch_request = profiled  # type: ignore[method-assign]


def want_profile() -> None:
    """Take `profile=1` out of the query string of a GET by an operator; for all others it is an unknown argument."""
    if request.method != "GET" or request.args.getlist(ARGUMENT) != ["1"]:
        return
    who = g.get("identity")
    if who is None or who.role != Role.ADMIN:
        return
    services().operators.require(who.tenant_id)
    g.wants_profile = True
    # The cached property of the request, which is read by everything that declares arguments.
    request.args = ImmutableMultiDict(
        [(name, value) for name, value in request.args.items(multi=True) if name != ARGUMENT]
    )
