"""Journeys: what happens to a customer step by step, proven to end before it begins."""
