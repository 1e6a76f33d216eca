"""Tokens, passwords and sign-in."""
