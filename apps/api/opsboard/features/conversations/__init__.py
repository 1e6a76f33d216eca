"""Conversations: messages with a contact, and how many of them nobody has read."""
