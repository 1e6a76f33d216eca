"""The events that webhooks are told of, in the OpenAPI document: `webhooks`, with the schema of each."""

from __future__ import annotations

from typing import Any

from opsboard.features.webhooks.events import SCHEMAS_OF_EVENTS
from opsboard.web.openapi_schemas import PREFIX

HEADERS = {
    "webhook-id": "The id of the event.",
    "webhook-timestamp": "The time of this attempt, in seconds since 1970.",
    "webhook-signature": "`v1,` and a signature in base64; during a rotation two of them with a space between.",
}


def describe_events(document: dict[str, Any]) -> None:
    """Describe each event as a request that the service sends."""
    schemas = document["components"]["schemas"]
    for model in {model.__name__: model for model in SCHEMAS_OF_EVENTS.values()}.values():
        schema = model.model_json_schema(ref_template=PREFIX + "{model}", mode="serialization")
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    document["webhooks"] = {
        event_type: {
            "post": {
                "summary": event_type,
                "description": model.__doc__ or "",
                "parameters": [
                    {
                        "name": name,
                        "in": "header",
                        "required": True,
                        "description": text,
                        "schema": {"type": "string"},
                    }
                    for name, text in HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": PREFIX + model.__name__}}},
                },
                "responses": {
                    "2XX": {
                        "description": "Received. Any other answer, or none in time, is another attempt later."
                    }
                },
            }
        }
        for event_type, model in SCHEMAS_OF_EVENTS.items()
    }
