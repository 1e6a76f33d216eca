"""Suppressions: addresses that campaigns and journeys must not write to."""
