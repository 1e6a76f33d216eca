"""The application whose change feed has another way to the database than its requests."""

from __future__ import annotations

import os

from apiflask import APIFlask

import opsboard
from opsboard.db.database import Database
from opsboard.db.pool import Pool


def app() -> APIFlask:
    """As create_app makes it, but the change feed goes to FEED_URL."""
    made = opsboard.create_app()
    change_feed = made.extensions["opsboard"].change_feed
    usual = change_feed.database
    pool = Pool(0, 1, os.environ["FEED_URL"], timeout=usual.pool.timeout, connect_timeout=1)
    change_feed.database = Database(pool, usual.deadline)
    return made
