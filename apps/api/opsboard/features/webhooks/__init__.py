"""Webhooks and mail: events and letters, written with the change they tell of and sent by a worker."""
