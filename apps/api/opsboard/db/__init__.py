"""Postgres: the pool, named queries, tenants, migrations; no Flask in here."""
