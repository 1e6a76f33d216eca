"""Customers: who orders jobs."""
