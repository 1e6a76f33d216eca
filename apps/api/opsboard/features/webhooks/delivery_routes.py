"""/api/webhooks/deliveries: what was sent, what waits, and sending it again; for admins."""

from __future__ import annotations

from flask import Response

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.features.webhooks.area import area, sql
from opsboard.features.webhooks.schemas import Deliveries, DeliveryDetail, DeliveryStatus
from opsboard.web.access import only_for
from opsboard.web.arguments import Id, OneOrMore
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments


@area.list("/deliveries", Deliveries, roles=(Role.ADMIN,))
class ListDeliveries(ListArguments, query=sql.list_deliveries, default_sort="-created_at"):
    """Deliveries of events and letters, newest first."""

    webhook_id: Id | None = None
    status: OneOrMore[DeliveryStatus] = None


@area.get("/deliveries/<id:delivery_id>")
@area.input(detail(sql.get_delivery), location="query", arg_name="wanted")
@area.output(DeliveryDetail)
@only_for(Role.ADMIN)
@fresh
def get_delivery(delivery_id: int, wanted: Detail) -> Body:
    """One delivery with what is sent and each attempt."""
    return wanted.document(delivery_id=delivery_id)


@area.post("/<id:webhook_id>/ping")
@area.output(DeliveryDetail, status_code=201)
@only_for(Role.ADMIN)
def ping_webhook(webhook_id: int) -> Response:
    """Send a test event to one webhook; the answer is its delivery, which has the outcome a moment later."""
    return command(
        sql.ping_webhook,
        {"webhook_id": webhook_id},
        status=201,
        location="/api/webhooks/deliveries/{id}",
    )


@area.post("/deliveries/<id:delivery_id>/replay")
@area.output(DeliveryDetail, status_code=201)
@only_for(Role.ADMIN)
def replay_delivery(delivery_id: int) -> Response:
    """Send an event again, with the same id; a delivery that waits for its next attempt is tried at once instead."""
    return command(
        sql.replay_delivery,
        {"delivery_id": delivery_id},
        status=201,
        location="/api/webhooks/deliveries/{id}",
    )
