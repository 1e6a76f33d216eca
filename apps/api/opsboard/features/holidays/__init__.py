"""Holidays: days on which nothing is worked."""
