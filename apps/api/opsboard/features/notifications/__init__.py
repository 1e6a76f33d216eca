"""Notifications: what somebody is told."""
