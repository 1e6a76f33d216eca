"""Documents: what was uploaded, by whom, of which type."""
