"""Is the service well, and if not, what is the matter."""
