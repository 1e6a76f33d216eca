"""Processes: the kinds of work, and which roles may do them."""
