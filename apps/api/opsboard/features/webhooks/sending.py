"""From a delivery to the attempt: what is sent, how it is signed, and where."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

from opsboard import __version__
from opsboard.auth.identity import Holder
from opsboard.auth.links import Link
from opsboard.config import Config
from opsboard.db.database import Database
from opsboard.features.webhooks.area import sql
from opsboard.features.webhooks.letters import letter_of_event, letter_of_link
from opsboard.features.webhooks.mail import Mail
from opsboard.features.webhooks.posting import Outcome, post
from opsboard.features.webhooks.signing import KeyGone, WebhookSecrets
from opsboard.secret import signing_secret
from opsboard.web.request_ids import traceparent_of


class Sender:
    """Makes one attempt at one delivery."""

    def __init__(self, config: Config, database: Database) -> None:
        self._config = config
        self._database = database
        self._secret = signing_secret(config)
        self._secrets = WebhookSecrets(self._secret, config.accepted_secrets)
        self._mail = Mail(config, config.webhook_timeout)

    def send(self, tenant_id: int, delivery: dict[str, Any]) -> Outcome:
        """The outcome of the attempt; raises nothing that the receiver can cause."""
        url = delivery["url"]
        if url is None:
            return self._send_link(tenant_id, delivery)
        if url.startswith("mailto:"):
            event = json.loads(delivery["body"])
            return self._mail.send(letter_of_event(url.removeprefix("mailto:"), delivery["event_id"], event))
        return self._post(url, delivery)

    def _post(self, url: str, delivery: dict[str, Any]) -> Outcome:
        body = delivery["body"].encode()
        secret_ids = filter(None, (delivery["secret_id"], delivery["old_secret_id"]))
        try:
            headers = self._secrets.headers(delivery["event_id"], int(time.time()), body, secret_ids)
        except KeyGone:
            return Outcome(
                False,
                error="the SECRET_KEY of this webhook's secret is gone from SECRET_KEYS: rotate the secret",
            )
        headers |= {"Content-Type": "application/json", "User-Agent": f"Opsboard/{__version__}"}
        if traceparent := traceparent_of(json.loads(delivery["body"]).get("request_id") or ""):
            headers["traceparent"] = traceparent
        return post(url, headers, body, self._config.webhook_networks, self._config.webhook_timeout)

    def _send_link(self, tenant_id: int, delivery: dict[str, Any]) -> Outcome:
        link_id = json.loads(delivery["body"])["link_id"]
        row = self._database.fetch_row(sql.find_letter, Holder(tenant_id), {"link_id": link_id})
        if row is None:
            return Outcome(False, error="the link was used or has ended, so it is not sent", is_final=True)
        person = json.loads(row[0])
        expires_at = int(dt.datetime.fromisoformat(person["expires_at"]).timestamp())
        return self._mail.send(
            letter_of_link(
                delivery["event_type"],
                delivery["event_id"],
                person,
                Link(tenant_id, link_id, expires_at),
                self._secret,
                self._config.public_url,
            )
        )
