"""Campaigns: to whom they go, what became of each message, and the numbers of each day."""
