"""The application whose pulse has another way to the database than its requests."""

from __future__ import annotations

import os

from apiflask import APIFlask

import opsboard
from opsboard.db.database import Database
from opsboard.db.pool import Pool


def app() -> APIFlask:
    """As create_app makes it, but the pulse goes to PULSE_URL."""
    made = opsboard.create_app()
    pulse = made.extensions["opsboard"].pulse
    usual = pulse._database
    pool = Pool(0, 1, os.environ["PULSE_URL"], timeout=usual.pool.timeout, connect_timeout=1)
    pulse._database = Database(pool, usual.deadline)
    return made
