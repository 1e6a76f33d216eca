"""Leads: who may become a customer, and each step on the way; with a queue that many may work on at once."""
