"""Guesses a mapping for files that nobody has described: what `opsboard import --guess` prints."""
