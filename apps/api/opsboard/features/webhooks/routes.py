"""/api/webhooks: who is told of events; for admins."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.errors import InvalidInput
from opsboard.features.webhooks import delivery_routes  # noqa: F401  # adds its routes
from opsboard.features.webhooks.addresses import check_url
from opsboard.features.webhooks.area import area, sql
from opsboard.features.webhooks.events import EventType
from opsboard.features.webhooks.schemas import NewWebhook, RemovedWebhook, Webhook, Webhooks
from opsboard.features.webhooks.signing import WebhookSecrets
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments, Patch, Text, optional_body
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.services import services


@area.list("", Webhooks, roles=(Role.ADMIN,))
class ListWebhooks(ListArguments, query=sql.list_webhooks, default_sort="created_at"):
    """Webhooks of the business, without their secrets."""


class WebhookSettings(Arguments):
    url: Annotated[
        Text,
        Field(
            max_length=2000,
            examples=["https://erp.example/hooks/opsboard"],
            description="https://..., or mailto: and an address, which gets events as mail.",
        ),
    ]
    description: Annotated[Text | None, Field(max_length=200)] = None
    events: Annotated[
        list[EventType],
        Field(max_length=100, description="Types of events; empty: all.", examples=[["job.status_changed"]]),
    ] = Field(default_factory=list)
    is_active: Annotated[bool, Field(description="false: nothing is sent, and no event is kept for it.")] = (
        True
    )


class ChangeWebhook(Patch, of=WebhookSettings):
    pass


class Rotation(Arguments):
    overlap_hours: Annotated[
        int, Field(ge=0, le=168, description="Hours that deliveries are signed with the old secret, too.")
    ] = 24


@area.get("/<id:webhook_id>")
@area.input(detail(sql.get_webhook), location="query", arg_name="wanted")
@area.output(Webhook)
@only_for(Role.ADMIN)
@fresh
def get_webhook(webhook_id: int, wanted: Detail) -> Body:
    """One webhook, without its secret."""
    return wanted.document(webhook_id=webhook_id)


@area.post("")
@area.input(WebhookSettings, arg_name="webhook")
@area.output(NewWebhook, status_code=201)
@only_for(Role.ADMIN)
def create_webhook(webhook: WebhookSettings) -> Response:
    """Register a webhook; the answer has its secret, shown once."""
    check_receiver(webhook.url)
    given = {**webhook.model_dump(), "secret_id": webhook_secrets().new_id()}
    return command(sql.create_webhook, given, status=201, location="/api/webhooks/{id}", complete=with_secret)


@area.patch("/<id:webhook_id>")
@area.input(ChangeWebhook, arg_name="change")
@area.output(Webhook)
@only_for(Role.ADMIN)
def update_webhook(webhook_id: int, change: ChangeWebhook) -> Response:
    """Change a webhook; with another address, or active again, it is tried at once with what waits for it."""
    if "url" in change.model_fields_set:
        check_receiver(change.model_dump()["url"])
    return command(
        sql.update_webhook, {"webhook_id": webhook_id, "patch": change.patch()}, current=sql.get_webhook
    )


@area.delete("/<id:webhook_id>")
@area.output(RemovedWebhook)
@only_for(Role.ADMIN)
def remove_webhook(webhook_id: int) -> Response:
    """Remove a webhook with its deliveries, also those that wait."""
    return command(sql.remove_webhook, {"webhook_id": webhook_id}, current=sql.get_webhook)


@area.post("/<id:webhook_id>/rotate-secret")
@optional_body(area, Rotation, "rotation")
@area.output(NewWebhook)
@only_for(Role.ADMIN)
def rotate_secret(webhook_id: int, rotation: Rotation) -> Response:
    """Give a webhook another secret, shown once; for some hours the old one signs, too."""
    given = {
        "webhook_id": webhook_id,
        "overlap_hours": rotation.overlap_hours,
        "secret_id": webhook_secrets().new_id(),
    }
    return command(sql.rotate_secret, given, complete=with_secret)


def check_receiver(url: str) -> None:
    """Raise InvalidInput for an address that nothing may be sent to."""
    try:
        check_url(url, services().config.webhook_networks)
    except ValueError as error:
        raise InvalidInput(fields=[{"field": "url", "message": str(error)}]) from None


def webhook_secrets() -> WebhookSecrets:
    return WebhookSecrets(services().secret, services().config.accepted_secrets)


def with_secret(text: str) -> str:
    """The finished JSON of a webhook with its secret, which is stored neither in the database nor in the cache."""
    secret = webhook_secrets().secret_of(json.loads(text)["secret_id"])
    return f'{text[:-1]}, "secret" : {json.dumps(secret)}}}'
