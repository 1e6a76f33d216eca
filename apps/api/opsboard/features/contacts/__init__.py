"""Contacts: people that the business talks with."""
