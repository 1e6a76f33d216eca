"""Businesses and the people who sign in, added from the command line."""
