"""Calls: with whom, when and what came of it."""
