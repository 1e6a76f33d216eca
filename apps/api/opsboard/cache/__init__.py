"""Cached answers that end with their TTL or with a change of their data; no Flask, no SQL, no accounts."""

from opsboard.cache.body import Body, matches
from opsboard.cache.key import Key, canonical
from opsboard.cache.store import Found, Outcome, Store

__all__ = ["Body", "Found", "Key", "Outcome", "Store", "canonical", "matches"]
