"""/metrics: the numbers of all workers of this machine, for a Prometheus server."""

from __future__ import annotations

import hmac
import ipaddress
import json
from typing import Annotated, Any, Literal

from flask import Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from pydantic import Field

from opsboard.auth.api_tokens import PREFIX
from opsboard.auth.identity import Role
from opsboard.db.queries import load_queries
from opsboard.errors import Forbidden, NotSignedIn, OpsboardError
from opsboard.features.metrics.businesses import Businesses
from opsboard.features.metrics.exposition import Workers, label_of
from opsboard.features.metrics.surroundings import Surroundings
from opsboard.fleet.heartbeat import SILENT_AFTER
from opsboard.web.access import open_to_all, operational
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments
from opsboard.web.openapi import problems
from opsboard.web.proxies import UNKNOWN_CALLER
from opsboard.web.scopes import require_scope
from opsboard.web.services import services

area = Area("metrics", __name__, tag="Health", url_prefix="")
sql = load_queries(__package__)

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Text exposition format.", "content": {"text/plain": {}}}
}


class OfScope(Arguments):
    scope: Annotated[
        Literal["machine", "fleet"],
        Field(description="`fleet`: the workers of all machines in one scrape."),
    ] = "machine"


@area.get("/metrics")
@area.input(OfScope, location="query", arg_name="wanted")
@area.doc(responses=RESPONSES)
@problems(400, 401, 403, others=False)
@open_to_all
@operational
def metrics(wanted: OfScope) -> Response:
    """Counters, gauges and histograms of this machine's workers; needs METRICS_TOKEN, or a caller on the machine."""
    services().change_feed.start()
    has_token = let_scrape()
    workers, found = look(
        None if wanted.scope == "fleet" else services().change_feed.worker.machine, has_token
    )
    live = [worker for worker in workers if worker["silent_seconds"] <= SILENT_AFTER]
    # One that was killed has fallen silent too, but nobody misses it once another has its place.
    places = {label_of(worker) for worker in live}
    silent = {label_of(worker) for worker in workers} - places
    registry = CollectorRegistry()
    registry.register(Workers(live))
    registry.register(Surroundings(len(places), len(silent), found))
    numbers = found or {}
    registry.register(Businesses(numbers.get("businesses") or [], numbers.get("usage") or []))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def let_scrape() -> bool:
    """The token of the setting or, without one, a caller on this machine that no proxy stands before.

    Returns True for a caller with a token, who may have the numbers of each business.

    Also an API token with the scope metrics, of an admin of those who run the service.
    """
    token, sent_token = services().config.metrics_token, request.authorization and request.authorization.token
    if sent_token and sent_token.startswith(PREFIX) and sent_token != token:
        identity = services().sign_in.identify_operator(sent_token, services().lookout, reading=True)
        require_scope(identity)
        if identity.role != Role.ADMIN:
            raise Forbidden("This needs the role admin.")
        services().operators.require(identity.tenant_id)
        return True
    if token:
        sent = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(sent, f"Bearer {token}".encode()):
            raise NotSignedIn()
    elif UNKNOWN_CALLER in request.environ or not on_this_machine(request.remote_addr):
        raise Forbidden("From elsewhere this needs METRICS_TOKEN.")
    return bool(token)


def on_this_machine(address: str | None) -> bool:
    """Loopback, or no address at all: the unix socket."""
    if not address:
        return True
    parsed = ipaddress.ip_address(address)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def look(machine: str | None, with_businesses: bool) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The last word of each worker, of this one as of now; this one alone while the database is away.

    Then all that the database says of itself; None while it is away.
    """
    change_feed = services().change_feed
    own = {
        "id": change_feed.worker.id,
        "machine": change_feed.worker.machine,
        "pid": change_feed.worker.pid,
        "started_at": change_feed.worker.started_at,
        "silent_seconds": 0.0,
        "report": change_feed.own_report(),
    }
    try:
        row = services().lookout.fetch_unbound(
            sql.workers, {"machine": machine, "with_businesses": with_businesses}
        )
    except OpsboardError:
        return [own], None
    assert row is not None  # json_build_object always gives a row
    found = json.loads(row[0])
    others = [worker for worker in found["workers"] if worker["id"] != own["id"]]
    return [*others, own], found
