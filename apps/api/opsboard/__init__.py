"""Opsboard: an operations dashboard service over Flask and raw psycopg2."""

__version__ = "0.1.0"
