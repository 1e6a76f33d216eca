"""Finished answers, kept until their time or their data runs out; knows no Flask, no SQL, no accounts."""

from opsboard.cache.body import Body, matches
from opsboard.cache.key import Key, canonical
from opsboard.cache.store import Found, Outcome, Store

__all__ = ["Body", "Found", "Key", "Outcome", "Store", "canonical", "matches"]
