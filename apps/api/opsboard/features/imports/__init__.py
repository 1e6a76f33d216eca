"""Imports over the API and the page."""
