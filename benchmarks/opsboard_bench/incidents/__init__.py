"""One thing after the other that goes wrong, and what it does to the answers."""
