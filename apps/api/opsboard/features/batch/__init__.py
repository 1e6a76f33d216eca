"""Several reads in one request."""
