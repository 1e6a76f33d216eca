"""A caller after a write begins a load of its own, without waiting for one that is out of date already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.application import Application

STATS = "/api/dashboard/stats"
JOBS = "/api/jobs?priority=high"


@pytest.mark.parametrize(("path", "method"), [(STATS, "fetch_json"), (JOBS, "fetch_list")])
def test_a_load_that_a_write_overtook_is_not_joined(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, path: str, method: str
) -> None:
    services, loads, begun, go_on = own_app.services, [], threading.Event(), threading.Event()
    assert own_app.client().get(path).status_code == 200  # from here on the tables of the view are known
    services.store.clear()
    load: Callable[..., Any] = getattr(services.database, method)

    def gated(*args: Any) -> Any:
        loads.append(threading.get_ident())
        if len(loads) == 1:
            begun.set()
            assert go_on.wait(20)
        return load(*args)

    monkeypatch.setattr(services.database, method, gated)
    early = threading.Thread(target=lambda: own_app.client().get(path))
    early.start()
    assert begun.wait(20)
    services.store.bump(own_app.alpha.id, {"jobs"})
    late = own_app.client().get(path)
    was_waiting = early.is_alive()
    go_on.set()
    early.join(20)
    assert late.status_code == 200 and late.headers["X-Cache"] == "MISS"
    assert was_waiting, "it did not wait for the first load"
    assert len(loads) == 2
